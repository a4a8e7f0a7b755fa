"""Lists in: one module a source, each with its traps; reading.py is the shape that they share."""
