"""Stage 8 of 8: deliver - queue, upload, receipts; a process of its own."""
