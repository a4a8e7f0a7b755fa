"""Syncs that no cut misses, and why they are there or are nobody's here."""

from typing import Final

UNNEEDED: Final[dict[str, str]] = {}
