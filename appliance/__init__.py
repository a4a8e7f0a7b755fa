"""Landlink on the box: from a scanner's bytes to headquarters' signed receipt (ARCHITECTURE.md)."""
