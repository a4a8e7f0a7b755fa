"""What an import took and what it did not: each line or part with its place and the reason, nothing of its content."""

from dataclasses import dataclass, field
from typing import Final

from provisioning.authority.sources.reading import Place

SHOWN_MAX: Final = 20
"""Rejects that a command prints; the report has them all."""
LINES_MAX: Final = 100_000
"""Of one report; what is beyond is counted."""


@dataclass(slots=True)
class _Run:
    """Neighbouring places that were left out for the same reason: one line of the report."""

    first: Place
    last: int
    why: str

    def __str__(self) -> str:
        until = f" to {self.last}" if self.last > self.first.number else ""
        return f"{self.first}{until}: {self.why}"


@dataclass(slots=True)
class ImportReport:
    """Counts and reasons of one import.

    Attributes:
        taken: Entries that were read and are on the list now; of documents, changes that were made.
        new, changed, withdrawn: Against what was staged before; withdrawn entries are no longer in the source.
        merged: Entries that came in several parts (a page and a detail of one notice).
        left_out: Lines and entries that were not taken.
        parts: Parts that were left out of an entry that was taken.
        remarks: On the file as a whole.
    """

    taken: int = 0
    new: int = 0
    changed: int = 0
    merged: int = 0
    withdrawn: int = 0
    left_out: int = 0
    parts: int = 0
    remarks: list[str] = field(default_factory=list[str])
    _rejects: list[_Run] = field(default_factory=list[_Run])
    _parts: list[str] = field(default_factory=list[str])
    _untold: int = 0

    def reject(self, place: Place, why: str) -> None:
        """This place was not taken."""
        self.left_out += 1
        last = self._rejects[-1] if self._rejects else None
        if last and (last.first.unit, last.why, last.last + 1) == (place.unit, why, place.number) and not place.name:
            last.last = place.number
        elif len(self._rejects) < LINES_MAX:
            self._rejects.append(_Run(first=place, last=place.number, why=why))
        else:
            self._untold += 1

    def leave(self, place: Place, why: str) -> None:
        """This part was left out of what was taken from this place."""
        self.parts += 1
        if len(self._parts) < LINES_MAX:
            self._parts.append(f"{place}: {why}")
        else:
            self._untold += 1

    def summary(self) -> str:
        """What became of the file, one line."""
        return f"{self.taken} taken, {self.left_out} left out, {self.parts} parts left out"

    def changes(self) -> str:
        """What became of the list, one line."""
        return f"{self.new} new, {self.changed} changed, {self.merged} merged, {self.withdrawn} withdrawn"

    def shown(self) -> list[str]:
        """The first rejects, a line each."""
        return [f"left out: {run}" for run in self._rejects[:SHOWN_MAX]]

    @property
    def has_more(self) -> bool:
        """Whether the report has lines that `shown` has not."""
        return len(self._rejects) > SHOWN_MAX or self.parts > 0

    def text(self, title: str) -> str:
        """The whole report."""
        lines = [f"{title}: {self.summary()}", self.changes()]
        lines += [f"remark: {remark}" for remark in self.remarks]
        lines += [f"left out: {run}" for run in self._rejects]
        lines += [f"part left out: {part}" for part in self._parts]
        lines += [f"and {self._untold} more"] if self._untold else []
        return "\n".join(lines) + "\n"
