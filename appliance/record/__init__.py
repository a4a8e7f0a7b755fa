"""Stage 6 of 8: record - commit, encrypt, sign, log; a process of its own."""
