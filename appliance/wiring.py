"""Configuration becomes objects: the only place that names fitted hardware, and where each process is put together."""
