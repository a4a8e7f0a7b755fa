"""Headquarters' audit: pull, verify, open, find, report."""
