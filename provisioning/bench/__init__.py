"""The technician's bench: rehearse a whole post on one machine."""
