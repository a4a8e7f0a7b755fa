"""Simulated hardware that speaks the real wire protocols; ships with the product, never runs on a box."""
