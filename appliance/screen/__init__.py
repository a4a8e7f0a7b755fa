"""Stage 4 of 8: screen - is it, or its holder, on a list? Hits in bands, each with its reasons."""
