"""Headquarters' rules: look at them, try them on what was recorded, put them into force."""
