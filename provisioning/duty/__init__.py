"""The duty desk at headquarters: what boxes ask it to confirm, and what it answers."""
