"""Headquarters' own log: who opened, searched, exported and handed over records."""
