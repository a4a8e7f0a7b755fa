"""Syncs that no cut misses, and why they are there all the same."""

from typing import Final

UNNEEDED: Final = {
    "log/checkpoint": "recovery writes it again; it is a second witness of the tree's size where a journal is lost",
    "uplink/index.db-journal": "SQLite's own, before the first entry of an index that is rebuilt when it is damaged",
}
