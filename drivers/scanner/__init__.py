"""One file a device family: its wire protocol as a codec without I/O."""
