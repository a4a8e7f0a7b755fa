"""What `landlink-hq custody` does, and how it tells it."""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from appliance.command import named
from appliance.errors import ConfigError, Misuse, Refused
from appliance.files import read_regular
from appliance.formats.age import Identity
from appliance.formats.merkle import complete_root, leaf_hash, root_hash
from appliance.formats.note import NOTE_BYTES_MAX
from provisioning.audit.opened.find import record_prefix
from provisioning.audit.opened.records import iso
from provisioning.audit.opened.search import openers
from provisioning.authority.home import Home
from provisioning.command import entries_of, json_line, say
from provisioning.custody.act import Act, Did, parse_act
from provisioning.custody.log import NO_WORDS, CustodyLog, Words, operator
from provisioning.exhibit.assembling import about_of
from provisioning.exhibit.checking import check_exhibit, check_pieces
from provisioning.exhibit.contents import Exhibit
from provisioning.exhibit.custody_part import CHECKPOINT
from provisioning.exhibit.custody_sum import Leaf, sum_up
from provisioning.exhibit.folder import SUMS
from provisioning.exhibit.pieces import Broken, read_pieces


def run_show(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    custody = CustodyLog(home)
    identities = _identities(home)
    wanted = record_prefix(arguments.record) if arguments.record else ""
    for index, act in enumerate(custody.acts()):
        if wanted and not any(record.startswith(wanted) for record in act.records):
            continue
        words = _words(custody, index, act, identities)
        if arguments.json:
            say(json_line({"index": index, "act": act, **words._asdict()}))
        else:
            _print(index, act, words)
    return 0


def _identities(home: Home) -> tuple[Identity, ...]:
    try:
        keys = openers(home)
    except ConfigError:  # who only verifies needs no key that opens records
        return ()
    return (keys.first, *keys.others)


def _words(custody: CustodyLog, index: int, act: Act, identities: tuple[Identity, ...]) -> Words:
    """What was said of an act; nothing where it was destroyed or is sealed to others."""
    detail = custody.told(index, act, identities)
    return NO_WORDS if detail is None else Words(why=detail.why, to=detail.to, asked=detail.asked)


def _print(index: int, act: Act, words: Words) -> None:
    say(f"{index}  {iso(act.at_ms)[:19].replace('T', ' ')}  {act.did}, by {act.by}")
    for record in act.records:
        say(f"  RECORD {record}")
    for reach in act.reaches:
        say(f"  {entries_of(reach.first, reach.end)} of {reach.origin}")
    if act.exhibit is not None:
        say(f"  exhibit {act.exhibit.hex()}")
    for label, said in (("to", words.to), ("for", words.why), ("asked", words.asked)):
        if said:
            say(f"  {label}: {said}")


def run_verify(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    custody = CustodyLog(Home.open(arguments.home))
    problems = custody.problems()
    if arguments.against is not None and not problems:
        problems += _contradicts(custody, arguments.against)
    for problem in problems:
        say(f"  {problem}")
    if problems:
        print(f"{custody.origin}: NOT all as it should be")
        return 1
    note = custody.note()
    checkpoint, by = (None, custody.verifier) if note is None else custody.signed(note)
    size = 0 if checkpoint is None else checkpoint.size
    print(f"{custody.origin}: {size} entries, all of it holds, by the key {by.vkey()}")
    if by != custody.verifier:
        print(f"  That is a former key; the next act is signed by {custody.verifier.vkey()}")
    return 0


def _contradicts(custody: CustodyLog, exhibit: Path) -> list[str]:
    """Whether the log still begins as it stood when an exhibit was made; [] when it does."""
    path = exhibit / CHECKPOINT if exhibit.is_dir() else exhibit
    with named(path):
        note = read_regular(path, NOTE_BYTES_MAX)
    old, _ = custody.signed(note)
    leaves = custody.leaves()[1]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    if old.size > len(hashes):
        return [f"{path} was signed over {old.size} entries, here are {len(hashes)}: entries were taken away"]
    root = root_hash(old.size, lambda level, n: complete_root(hashes[n << level : (n + 1) << level]))
    if root != old.root:
        return [f"{path} was signed over {old.size} other entries than are here: the log was written anew"]
    return _miscounted(exhibit, leaves[: old.size]) if exhibit.is_dir() else []


def _miscounted(folder: Path, leaves: Sequence[bytes]) -> list[str]:
    """Whether an exhibit says something else of the acts about it than the log that it was made of; [] when it does."""
    exhibit, problems = check_exhibit(folder)
    if exhibit is None or problems:
        return [f"{folder} does not hold; next: landlink-hq exhibit --check {folder}"]
    about = about_of(exhibit)
    acts = [Leaf(index, leaf, parse_act(leaf)) for index, leaf in enumerate(leaves)]
    if sum_up(leaf for leaf in acts if about.only_reaches(leaf.act)) != exhibit.custody.reached:
        return [f"{folder} counts other acts than this log has: it was made wrongly, or altered with its sums"]
    if [leaf.place for leaf in acts if about.names(leaf.act)] != [entry.index for entry in exhibit.custody.entries]:
        return [f"{folder} does not show every act about its record that this log has"]
    return []


def _as_checked(folder: Path) -> tuple[Exhibit | None, list[str], bytes]:
    """What an exhibit says, what of it does not hold, and the hash of the very SUMS that were checked."""
    try:
        pieces = read_pieces(folder)
    except Broken as error:
        return None, [str(error)], b""
    return *check_pieces(pieces), hashlib.sha256(pieces.get(SUMS, b"")).digest()


def run_handover(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if not arguments.to.strip():
        raise Misuse("say who takes it: --to WHO")
    home = Home.open(arguments.home)
    exhibit, problems, sums = _as_checked(arguments.exhibit)
    if exhibit is None or problems:
        raise Refused(f"{arguments.exhibit} does not hold ({'; '.join(problems)[:300]}); nothing was written down")
    custody = CustodyLog(home)
    if exhibit.trust.custody_vkey not in {each.vkey() for each in custody.verifiers}:
        raise Refused(f"{arguments.exhibit} was made by another headquarters, or under another custody key")
    records = [] if exhibit.entry is None else [exhibit.entry.record_id]
    words = Words(why=arguments.why or exhibit.case, to=arguments.to)
    by = operator(arguments.by)
    index = custody.write(Did.HANDED_OVER, by, records=records, words=words, exhibit=sums)
    say(f"Written down as entry {index}: {arguments.exhibit} handed over to {arguments.to} by {by}.")
    print(f"  Both sides compare the hash of {SUMS}: {sums.hex()}")
    return 0
