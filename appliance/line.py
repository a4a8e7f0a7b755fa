"""The line to the recorder: what booth, uplink and releases speak into its sockets."""
