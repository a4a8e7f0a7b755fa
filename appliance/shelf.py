"""The shelf: the folder where the verified release lies, read by whoever needs it and verified at every load."""
