"""One of three shares of the escrow key, of which any two make it: how it is computed, and its file.

A secret S of n bytes is shared once for each pair of holders. For the pair (i, j), i < j, n random bytes P are drawn
for this pair alone; i gets P, j gets P xor S. Both together xor to S.

One share tells nothing of S, whatever its holder can compute: it has one of the two halves of two different pairs, so
two independent blocks, each uniformly random whatever S is (P is; P xor S is, for a P that the holder has not seen).
Said the other way round: to every share and every secret there are random bytes by which that secret gives that share.

Shamir's scheme promises the same with shorter shares for many holders. For two of three it needs a field, a library and
trust in both; this is undone with a pencil in thirty years.
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from appliance.errors import Malformed

HOLDERS: Final = 3
SHARE_BYTES_MAX: Final = 65_536
_WORDS: Final = """\
Share {number} of {holders} of an escrow key of headquarters ({domain}). With any one of the other shares of the same
split it makes that key again, which opens every record that was sealed to it: landlink-hq join-escrow SHARE SHARE
--out FILE. Alone it tells nothing of it. Keep it locked away, apart from the others, and copy it nowhere.

By hand: of shares I and J, xor the bytes of "with J" in share I with those of "with I" in share J. Each 32 bytes are
one seed, in the order of the fingerprints: that of the key in use when it was split, then former ones.
"""
_FIELDS: Final = re.compile(
    r"^split: (?P<split>[0-9a-f]{32})\n"
    r"share: (?P<number>[1-3])\n"
    r"(?P<fingerprints>(?:fingerprint: [0-9a-f ]{24}\n)+)"
    r"with (?P<low>[1-3]): (?P<low_half>(?:[0-9a-f]{2})+)\n"
    r"with (?P<high>[1-3]): (?P<high_half>(?:[0-9a-f]{2})+)\n\Z",
    re.MULTILINE,
)
_SUM: Final = "sum: "


@dataclass(frozen=True, slots=True)
class Share:
    """What one holder keeps.

    Attributes:
        split: Which split it is of; random.
        number: Whose it is, 1 to 3.
        fingerprints: Of the public halves of the keys, for comparison.
        halves: For each other holder the half that only together with that holder's gives the secret.
    """

    split: str
    number: int
    fingerprints: tuple[str, ...]
    halves: Mapping[int, bytes] = field(repr=False)


def split_secret(secret: bytes, entropy: Callable[[int], bytes]) -> dict[int, dict[int, bytes]]:
    """Halves by holder and by the holder with whom they give `secret`; `entropy` is asked once a pair."""
    halves: dict[int, dict[int, bytes]] = {number: {} for number in range(1, HOLDERS + 1)}
    for low, high in combinations(halves, 2):
        pad = entropy(len(secret))
        halves[low][high], halves[high][low] = pad, xor(pad, secret)
    return halves


def xor(one: bytes, other: bytes) -> bytes:
    """Byte by byte; both of one length."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def encode_share(share: Share, domain: str) -> bytes:
    """Its file: words for whoever finds it, the share, a checksum of all of it."""
    words = _WORDS.format(number=share.number, holders=HOLDERS, domain=domain)
    lines = [
        f"split: {share.split}",
        f"share: {share.number}",
        *(f"fingerprint: {each}" for each in share.fingerprints),
        *(f"with {other}: {half.hex()}" for other, half in sorted(share.halves.items())),
    ]
    text = "\n".join((words, *lines, ""))
    return f"{text}{_SUM}{_checksum(text)}\n".encode("ascii")


def parse_share(data: bytes, what: str) -> Share:
    """Parse a share's file; `what` names it. Raises Malformed: it is none, or was altered or damaged."""
    broken = functools.partial(Malformed, what)
    if len(data) > SHARE_BYTES_MAX:
        raise broken(f"more than {SHARE_BYTES_MAX} bytes: no share of an escrow key")
    try:
        text, mark, checksum = data.decode("ascii").rpartition(_SUM)
    except UnicodeDecodeError:
        raise broken("no share of an escrow key, or damaged") from None
    if not mark:
        raise broken("no share of an escrow key, or cut")
    if not hmac.compare_digest(checksum, f"{_checksum(text)}\n"):
        raise broken("this share was altered or damaged: its checksum is not that of its text")
    found = _FIELDS.search(text)
    if found is None:
        raise broken("no share of an escrow key that this version reads")
    number, others = int(found["number"]), (int(found["low"]), int(found["high"]))
    fingerprints = tuple(line.partition(": ")[2] for line in found["fingerprints"].splitlines())
    halves = dict(zip(others, (bytes.fromhex(found["low_half"]), bytes.fromhex(found["high_half"])), strict=True))
    if {number, *others} != set(range(1, HOLDERS + 1)) or len({len(half) for half in halves.values()}) != 1:
        raise broken("its parts do not fit together")
    return Share(split=found["split"], number=number, fingerprints=fingerprints, halves=halves)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
