"""What a box worked with when it made an entry: software, release, lists and rules (`evidence/release/`).

The log says it: the epoch's certificate names the software, the entry `release_switched` the release. Headquarters' own
signed metadata of that release lies beside it, as far as it has it still.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError
from appliance.formats.event import check_event
from appliance.formats.release import POLICY_TARGET, RECIPIENTS_TARGET, RULES_TARGET
from appliance.formats.statement import EventEntry
from provisioning.exhibit.contents import InForce, SignedFile
from provisioning.exhibit.entry import LogTree, placed, read_event, statement_pieces
from provisioning.exhibit.pieces import EVIDENCE, Pieces, demand, take
from provisioning.exhibit.trust import Trusted, check_target, read_release, release_metadata, target_file

FOLDER: Final = f"{EVIDENCE}/release"
SWITCHED: Final = "release_switched"
SMALL: Final = {
    POLICY_TARGET: "policy.target.json",
    RULES_TARGET: "rules.target.json",
    RECIPIENTS_TARGET: "recipients.target.json",
}
"""Targets of which a copy is given; of lists their signed length and hash must do."""
MISSING: Final = "headquarters has the signed metadata of this release no more"


def in_force_pieces(
    tuf: Path, index: int, events: Iterable[tuple[int, int, EventEntry]], tree: LogTree, trusted: Trusted
) -> dict[str, bytes]:
    """The files that show which release was in force at `index`.

    Args:
        tuf: Headquarters' repository.
        index: The entry.
        events: The log's events in order: index, index of their epoch's start, event.
        tree: The log.
        trusted: Keys and tree.

    Raises:
        Malformed: The box logged it with other fields than it has.
    """
    switched = [each for each in events if each[2].event == SWITCHED and each[0] < index]
    if not switched:
        return {}
    at, epoch_index, event = switched[-1]
    check_event(event.event, event.fields)
    pieces = placed(FOLDER, statement_pieces(at, epoch_index, tree, trusted))
    try:
        metadata = placed(FOLDER, release_metadata(tuf, int(event.fields["version"])))
        del metadata[f"{FOLDER}/1.root.json"]  # it lies in roster/
        chain = read_release(metadata, FOLDER, trusted.root)
        for path, name in SMALL.items():
            if (file := chain.targets[path.partition("/")[0]].get(path)) is not None:
                metadata[f"{FOLDER}/{name}"] = target_file(tuf, file)
    except ConfigError:  # a release that was published elsewhere, or cleared away
        return pieces
    return {**pieces, **metadata}


def read_in_force(pieces: Pieces, index: int, software: str, trusted: Trusted) -> InForce:
    """What these files prove about the entry at `index`, whose epoch's certificate names `software`. Raises Broken."""
    if f"{FOLDER}/statement.cose" not in pieces:
        return InForce(software=software, release=0, release_index=None, dated="", recipients=0, rules=0)
    proven, event = read_event(pieces, FOLDER, trusted)
    path = f"{FOLDER}/statement.cose"
    demand(event.event == SWITCHED and proven.index < index, path, "no release_switched before the record")
    fields = event.fields
    missing, files = MISSING, tuple[SignedFile, ...]()
    if f"{FOLDER}/snapshot.json" in pieces:
        missing, files = "", _files(pieces, int(fields["version"]), trusted)
    return InForce(
        software=software,
        release=int(fields["version"]),
        release_index=proven.index,
        dated=fields["dated"],
        recipients=int(fields["recipients"]),
        rules=int(fields["rules"]),
        files=files,
        missing=missing,
    )


def _files(pieces: Pieces, version: int, trusted: Trusted) -> tuple[SignedFile, ...]:
    chain = read_release(pieces, FOLDER, trusted.root)
    demand(chain.version == version, f"{FOLDER}/snapshot.json", f"of release {chain.version}, the log says {version}")
    found: list[SignedFile] = []
    for role, targets in sorted(chain.targets.items()):
        for path, file in sorted(targets.items()):
            copy = f"{FOLDER}/{SMALL[path]}" if path in SMALL else ""
            if copy:
                check_target(chain, role, path, copy, take(pieces, copy))
            found.append(SignedFile(path=path, bytes=file.length, sha256=file.hashes["sha256"], file=copy))
    return tuple(found)
