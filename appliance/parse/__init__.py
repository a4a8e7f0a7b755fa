"""Stage 2 of 8: parse - a reading becomes a TravelDocument, or Malformed says why not."""
