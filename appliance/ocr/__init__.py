"""Reads the machine readable zone from an image; README.md tells how."""
