"""What an import did not take: each line or part with its number and the reason, nothing of its content."""

from dataclasses import dataclass, field
from typing import Final

SHOWN_MAX: Final = 20
"""Rejects that a command prints; the report has them all."""


@dataclass(slots=True)
class ImportReport:
    """Counts and reasons of one import.

    Attributes:
        taken: Entries now on the list.
        left_out: (where, why) of lines and entries that were not taken.
        notes: (where, why) of parts that were left out of an entry that was taken.
    """

    taken: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def text(self, title: str) -> str:
        """The whole report, a line a reject."""
        lines = [f"{title}: {self.taken} taken, {len(self.left_out)} left out, {len(self.notes)} parts left out"]
        lines += [f"left out: {where}: {why}" for where, why in self.left_out]
        lines += [f"part left out: {where}: {why}" for where, why in self.notes]
        return "\n".join(lines) + "\n"
