"""Headquarters' collector: takes bodies and logs, signs receipts."""
