"""Which acts of headquarters' own log concern an exhibit; and those that opened it among everything else, summed up.

Every search opens whole logs, so a record's acts grow with every search for anybody. An exhibit shows each act that
names its record, gave it out or destroyed it. Of the others it says how many, by whom and when, with the first and the
last of them as proof of the stretch, and one hash over all of them: headquarters' log is signed up to the exhibit's
checkpoint, so whoever is given that log counts again (`custody verify --against`), and nobody can change the answer.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from appliance.formats.merkle import leaf_hash
from provisioning.custody.act import Act, Did
from provisioning.exhibit.contents import Reached, ReachedBy
from provisioning.exhibit.pieces import Broken, Pieces, demand

TOLD: Final = (Did.EXPORTED, Did.HANDED_OVER, Did.ERASED)
"""Shown one by one even when they only reach it: they gave it out or destroyed it."""


class About(NamedTuple):
    """What an exhibit is about: a record, or leaves `first` up to `end` of a log (then `record_id` is "")."""

    record_id: str
    origin: str
    first: int
    end: int

    def names(self, act: Act) -> bool:
        """Whether the act was done with this: it names the record, gave it out or destroyed it."""
        named = bool(self.record_id) and self.record_id in act.records
        return named or (act.did in TOLD and self.reaches(act))

    def only_reaches(self, act: Act) -> bool:
        """Whether the act opened this among everything else."""
        return self.reaches(act) and not self.names(act)

    def reaches(self, act: Act) -> bool:
        """Whether bodies of this were opened or destroyed by the act."""
        return any(
            reach.origin == self.origin and reach.first < self.end and self.first < reach.end for reach in act.reaches
        )


class Leaf(NamedTuple):
    """An entry of headquarters' own log: its index, and what it says."""

    place: int
    encoded: bytes
    act: Act


def sum_up(leaves: Iterable[Leaf]) -> Reached | None:
    """These acts as an exhibit tells them; None for none. In log order."""
    rows: dict[tuple[str, str], ReachedBy] = {}
    indices: list[int] = []
    digest = hashlib.sha256()
    for index, encoded, act in leaves:
        indices.append(index)
        digest.update(leaf_hash(encoded))
        before = rows.get((act.did, act.by))
        rows[act.did, act.by] = ReachedBy(
            act=act.did,
            by=act.by,
            count=1 if before is None else before.count + 1,
            since_ms=act.at_ms if before is None else min(before.since_ms, act.at_ms),
            until_ms=act.at_ms if before is None else max(before.until_ms, act.at_ms),
        )
    if not indices:
        return None
    return Reached(
        count=len(indices),
        first=indices[0],
        last=indices[-1],
        leaves_sha256=digest.hexdigest(),
        by=tuple(row for _, row in sorted(rows.items())),
    )


def read_reached(pieces: Pieces, path: str, about: About, acts: Mapping[int, Act]) -> Reached | None:
    """What an exhibit says of them, as far as the acts in it (by index, verified) can contradict it. Raises Broken."""
    others = [index for index, act in acts.items() if about.only_reaches(act)]
    if path not in pieces:
        demand(not others, path, "missing, though acts are here that belong to it")
        return None
    try:
        said = msgspec.json.decode(pieces[path], type=Reached)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken(path, "not a sum of acts as JSON") from None
    demand(sorted({said.first, said.last}) == sorted(others), path, "its first and last act are not the ones here")
    shown = sum(said.first < index < said.last for index in acts)
    most = said.last - said.first + 1 - shown
    demand(said.count == sum(row.count for row in said.by), path, "its rows do not add up")
    demand(min(2, len(others)) <= said.count <= most, path, "counts other acts than there can be")
    demand((said.count == 1) == (said.first == said.last), path, "counts other acts than there can be")
    for act in (acts[said.first], acts[said.last]):
        row = next((row for row in said.by if (row.act, row.by) == (act.did, act.by)), None)
        fits = row is not None and row.count > 0 and row.since_ms <= act.at_ms <= row.until_ms
        demand(fits, path, "no row has its first or its last act")
    return said
