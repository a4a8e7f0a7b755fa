"""Stage 5 of 8: decide - findings and hits become Clear or Refer, in words for the officer."""
