"""Stage 7 of 8: show - lamp, sound, page; then the officer's outcome."""
