"""Drivers speak bytes, frames, images and edges; never document words. `api` is their vocabulary."""
