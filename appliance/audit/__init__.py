"""The log, served to headquarters' auditor, or copied to a stick for him: static files, never past the checkpoint."""
