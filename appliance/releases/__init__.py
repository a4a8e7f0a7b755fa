"""Verify what headquarters publishes and switch to it; a process of its own."""
