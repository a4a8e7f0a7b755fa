"""The escrow key leaves headquarters' home as three shares, of which any two make it again (escrow_share.py).

The whole key, with its former ones, is removed only when all three shares are durable, were read again, and each pair
gave it. An error or Ctrl-C on the way removes the shares again; a power cut may leave one or two, which whoever does it
again is told to destroy. An interruption while the whole key is removed is gone on with, with the same files.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

from appliance.command import named
from appliance.errors import Misuse, NoInput, Refused, Untrusted
from appliance.files import read_regular, storage, sync_folder, write_durably
from appliance.formats import bech32
from appliance.formats.age import SEED_BYTES, TEXT_CHARACTERS_MAX, Identity
from appliance.formats.enrolment import fingerprint
from provisioning.authority.escrow_share import (
    HOLDERS,
    SHARE_BYTES_MAX,
    Share,
    encode_share,
    parse_share,
    split_secret,
    xor,
)
from provisioning.authority.holders import absent
from provisioning.authority.home import Home
from provisioning.authority.identities import former_files, identity_file, load_identity, write_identity

_SPLIT_ID_BYTES: Final = 16


def split_escrow(home: Home, places: Sequence[Path], entropy: Callable[[int], bytes] = os.urandom) -> tuple[str, ...]:
    """Split the escrow key of this home and its former ones, and remove them here.

    Args:
        home: Headquarters.
        places: Files of the three shares, on media of three persons.
        entropy: Where random bytes come from.

    Returns:
        Fingerprints of the public halves: of the one in use, then of former ones, the latest first.

    Raises:
        ConfigError: The key is not here, or a medium is not.
        Refused: Not three new files outside the home; or there are files that are no whole split of this key.
        Malformed: One of the files that are there already is no share.
        StorageFull, StorageFault: What is here is whole; shares that were written are removed again.
    """
    _check_places(home, places)
    whole = _whole_files(home)
    secret = b"".join(_seed(load_identity(path)) for path in whole)
    there = [path for path in places if path.exists()]
    if not there:
        _write_shares(home, places, secret, entropy)
    elif len(there) < HOLDERS:
        raise Refused(
            f"{there[0]} is there already, and not all three; the key here is whole. If an earlier split failed, two "
            "of its shares make the key: destroy them, then do it again"
        )
    shares = [_read_share(path) for path in places]
    if not _holds(shares, secret):
        raise Refused(
            "the files at these places are no split of this key; nothing of either was changed: name new ones"
        )
    with storage("removing the whole escrow key"):
        for path in reversed(
            whole
        ):  # the oldest first: what an interruption leaves is the beginning of what was shared
            path.unlink()
        sync_folder(home.folder)
    return shares[0].fingerprints


def join_escrow(one: Path, other: Path, out: Path) -> tuple[str, ...]:
    """Make the key again from two shares, at `out`; its former ones beside it as `out`.1 and so on, the oldest first.

    Returns:
        Fingerprints, as `split_escrow`.

    Raises:
        ConfigError: A share cannot be read.
        Malformed: A file is no share, or was altered or damaged; it is named.
        Refused: They are not two different shares of one split, or something is at `out` already.
        Untrusted: They do not make the key that they name: somebody altered one, with its checksum.
        StorageFull, StorageFault: Not all was written.
    """
    shares = _read_share(one), _read_share(other)
    if not _of_one_split(*shares):
        raise Refused(f"{one} and {other} are of different splits: bring two shares of the same")
    if shares[0].number == shares[1].number:
        raise Refused(f"{one} and {other} are both share {shares[0].number}: bring another one")
    secret = _joined(*shares)
    keys = [Identity(secret[at : at + SEED_BYTES]) for at in range(0, len(secret) - SEED_BYTES + 1, SEED_BYTES)]
    fingerprints = tuple(key_fingerprint(key) for key in keys)
    if fingerprints != shares[0].fingerprints or len(secret) % SEED_BYTES:
        raise Untrusted(
            f"{one} and {other} do not make the key that they name: somebody altered one of them and its checksum. "
            "Nothing was written; bring the third share and try it with each"
        )
    places = (out, *(out.with_name(f"{out.name}.{number}") for number in range(len(keys) - 1, 0, -1)))
    if there := [path for path in places if path.exists() or path.is_symlink()]:
        raise Refused(f"{there[0]} is there already; it is not written over: name another file")
    for path, key in zip(reversed(places), reversed(keys), strict=True):
        write_identity(path, key)
    return fingerprints


def key_fingerprint(key: Identity) -> str:
    """What two persons compare of a key: the fingerprint of its public half, as `rotate` prints it."""
    return fingerprint(key.recipient.encode().encode("ascii"))


def _check_places(home: Home, places: Sequence[Path]) -> None:
    resolved = {path.resolve() for path in places}
    if len(resolved) != HOLDERS:
        raise Misuse(f"name {HOLDERS} different files, one a person")
    for path in resolved:
        if not path.parent.is_dir():
            raise NoInput(f"{path.parent} is not there; mount the medium first")
        if path.is_relative_to(home.folder.resolve()):
            raise Refused(f"{path} is inside {home.folder}: it would stay on this machine")


def _whole_files(home: Home) -> list[Path]:
    """Files of the key in use and of former ones, the latest first."""
    present = identity_file(home.folder, "escrow")
    whole = [present, *reversed(former_files(present))]
    for path in whole:
        if path.is_symlink():
            raise Refused(f"{path} is a link; the key that it leads to would stay: put the file itself here")
    if not present.exists():
        raise absent(present)
    return whole


def _write_shares(home: Home, places: Sequence[Path], secret: bytes, entropy: Callable[[int], bytes]) -> None:
    seeds = [secret[at : at + SEED_BYTES] for at in range(0, len(secret), SEED_BYTES)]
    fingerprints = tuple(key_fingerprint(Identity(seed)) for seed in seeds)
    split = entropy(_SPLIT_ID_BYTES).hex()
    with contextlib.ExitStack() as undone:  # two shares that stayed behind would make the key, and nobody counts them
        for number, halves in split_secret(secret, entropy).items():
            place = places[number - 1]
            undone.callback(_remove, place)
            write_durably(place, encode_share(Share(split, number, fingerprints, halves), home.settings.domain))
        undone.pop_all()


def _remove(place: Path) -> None:
    with contextlib.suppress(OSError):  # a medium that was pulled out: the error that is under way is told
        place.unlink(missing_ok=True)


def _read_share(path: Path) -> Share:
    with named(path):
        data = read_regular(path, SHARE_BYTES_MAX)
    return parse_share(data, str(path))


def _holds(shares: Sequence[Share], secret: bytes) -> bool:
    """Whether any two of the three give keys of which those in `secret` are the first."""
    return len({share.number for share in shares}) == HOLDERS and all(
        _of_one_split(*pair) and _joined(*pair).startswith(secret) for pair in combinations(shares, 2)
    )


def _of_one_split(one: Share, other: Share) -> bool:
    sizes = {len(half) for share in (one, other) for half in share.halves.values()}
    return (one.split, one.fingerprints) == (other.split, other.fingerprints) and len(sizes) == 1


def _joined(one: Share, other: Share) -> bytes:
    return xor(one.halves[other.number], other.halves[one.number])


def _seed(key: Identity) -> bytes:
    return bech32.decode(key.encode(), what="age identity", characters_max=TEXT_CHARACTERS_MAX)[1]
