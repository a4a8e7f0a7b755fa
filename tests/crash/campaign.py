"""Cuts, one after the other: every operation in every way, or as many as a seed chooses; and with syncs ignored."""

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from appliance.errors import LandlinkError
from tests.crash.checks import check
from tests.crash.cuts import Disk, Luck
from tests.crash.syncs import synced
from tests.crash.trace import Operation, read_trace
from tests.crash.witness import Witness
from tests.crash.workload import Promises, work

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
GAPS = (1, 6, 14, 40, 120)
PLACES_MAX = 60
BROKEN = (AssertionError, IndexError, LandlinkError, OSError)
"""What a promise that does not hold looks like."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A power cut before operation `at`."""

    at: int
    luck: Luck


@dataclass
class Worked:
    """A workload that was done: whatever is needed to cut it anywhere.

    Attributes:
        folder: Of its trace and its promises.
    """

    folder: Path
    promises: Promises
    operations: Sequence[Operation]
    witness: Witness
    syncs: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Worked":
        """Raises OSError, msgspec.MsgspecError: There is none in `folder`."""
        promises = msgspec.msgpack.decode((folder / "promises").read_bytes(), type=Promises)
        with (folder / "trace").open("rb") as file:
            operations = list(read_trace(file))
        found = synced(operations)
        return cls(
            folder=folder,
            promises=promises,
            operations=operations,
            witness=Witness.of(operations, promises.begins),
            syncs={number: word for number, word in found.items() if number >= promises.begins},
        )

    @classmethod
    def done(cls, folder: Path, *, seed: int, steps: int) -> "Worked":
        """Let a box work."""
        work(folder, seed=seed, steps=steps)
        return cls.read(folder)

    @property
    def boundaries(self) -> range:
        """Where it can be cut."""
        return range(self.promises.begins, len(self.operations) + 1)

    def every(self) -> Iterator[Cut]:
        """Every boundary, in every way."""
        return (Cut(at, luck) for at in self.boundaries for luck in Luck)

    def some(self, chance: random.Random, how_many: int) -> list[Cut]:
        """So many, chosen by `chance`, in order; torn ones most often, since they differ every time."""
        luck = (*Luck, Luck.ANYTHING, Luck.ANYTHING)
        chosen = [Cut(chance.choice(self.boundaries), chance.choice(luck)) for _ in range(how_many)]
        return sorted(chosen, key=lambda cut: cut.at)

    def disk(self, without: Iterable[str] = ()) -> Disk:
        """The disk as it was when the processes were started; `without` names syncs that it ignores from then on."""
        ignored = {number for number, word in self.syncs.items() if word in set(without)}
        disk = Disk(self.operations, ignores=ignored)
        disk.tell(self.promises.begins)
        disk.settle()
        return disk

    def hold(self, disk: Disk, cut: Cut) -> None:
        """Make one cut, and ask of what it leaves everything that was promised. Raises BROKEN."""
        disk.tell(cut.at)
        with TemporaryDirectory(prefix="cut-", dir=MEMORY) as folder:
            disk.cut(Path(folder), cut.luck, random.Random(f"{self.promises.seed} {cut.at} {cut.luck.value}"))
            check(Path(folder), self.promises, self.witness, cut.at)

    def first_loss(self, without: Iterable[str], cuts: Iterable[Cut]) -> tuple[Cut, Exception, int] | None:
        """The first cut that breaks a promise when these syncs are ignored, how, and how many were made; None."""
        disk = self.disk(without)
        for made, cut in enumerate(cuts, 1):
            try:
                self.hold(disk, cut)
            except BROKEN as error:
                return cut, error, made
        return None

    def loss_without(self, word: str) -> tuple[Cut, Exception, int] | None:
        """As `first_loss`, for one kind of sync, with cuts where its absence would show: in the end, and after each."""
        end = len(self.operations)
        at_end = [Cut(end, Luck.NOTHING), Cut(end, Luck.NAMES)]
        ats = {min(end, number + gap) for number, synced in self.syncs.items() if synced == word for gap in GAPS}
        chosen = random.Random(f"{self.promises.seed} {word}").sample(sorted(ats), min(len(ats), PLACES_MAX))
        after = [Cut(at, luck) for at in sorted(chosen) for luck in (Luck.NOTHING, Luck.NAMES, Luck.ANYTHING)]
        return self.first_loss([word], at_end) or self.first_loss([word], after)
