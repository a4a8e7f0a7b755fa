"""A release: lists, recipients, roster and policy of headquarters for all boxes, as one verified set.

Its files lie in one folder: `metadata/` as TUF has it (next roots numbered, the others by role) and `targets/` by path.
It is verified at every load (tuf_chain.py, then length and hash of every target). Recipients, roster, policy and rules
must hold, or there is no release; a damaged list takes only itself out of service, and says why (I5).

The documents list may be longer than memory, so a load verifies its tail, whose hash is signed beside that of the file,
and the tail verifies each page when it is read (pages.py).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.list_key import SEALED_BYTES_MAX
from appliance.formats.lists import ListedSource
from appliance.formats.pages import FILE_BYTES_MAX, HeldBytes, Source, read_tail
from appliance.formats.refusal import refusal
from appliance.formats.rules import DEFAULT_RULES, RULES_BYTES_MAX, Rules, parse_rules
from appliance.formats.tuf_chain import verify_chain
from appliance.model import Digest, Noun, Word

RECIPIENTS_TARGET: Final = "recipients/recipients.json"
ROSTER_TARGET: Final = "roster/roster.json"
POLICY_TARGET: Final = "policy/policy.json"
RULES_TARGET: Final = "policy/rules.json"
"""Headquarters' own rules; a release may do without."""
DOCUMENTS_TARGET: Final = "lists/documents.pages"
PERSONS_TARGET: Final = "lists/persons.index"

RECEIPTS: Final = "receipts"
COSIGN_ED25519: Final = "cosign-ed25519"
COSIGN_MLDSA44: Final = "cosign-mldsa44"
"""Roles of headquarters' keys in the roster; in its own folder the key files have the same names."""

TARGET_BYTES_MAX: Final = {
    RECIPIENTS_TARGET: 16_384,
    ROSTER_TARGET: 16 * 1024 * 1024,
    POLICY_TARGET: 16_384,
    RULES_TARGET: RULES_BYTES_MAX,
    DOCUMENTS_TARGET: FILE_BYTES_MAX,
    PERSONS_TARGET: SEALED_BYTES_MAX,
}
"""Every target that a box takes, but deltas, with its bound in bytes; a roster of 10,000 boxes has 10 MB."""

DELTA_NAME: Final = re.compile(r"lists/documents\.delta-[0-9]{4}")
"""Changes to the documents list since its base, in the order of their names."""
DELTA_BYTES_MAX: Final = 64 * 1024 * 1024
DELTAS_BYTES_MAX: Final = 256 * 1024 * 1024
"""All deltas of a release: a box holds them in memory."""
SOURCES_MAX: Final = 64
TAIL_SHA256: Final = "tail_sha256"
"""In a page file's TUF `custom`: the hash of what follows its pages."""
MADE_OF: Final = "made_of"
"""Beside it, in a base that is the merge of the one before and its deltas: where a mirror has these, in that order."""


def target_bytes_max(path: str) -> int:
    """The bound of a target that a box takes, 0 for what it does not take."""
    return DELTA_BYTES_MAX if DELTA_NAME.fullmatch(path) else TARGET_BYTES_MAX.get(path, 0)


AgeRecipient = Annotated[str, Meta(max_length=2_100, pattern=r"\Aage1pq1[0-9a-z]+\Z")]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Vkey = Annotated[str, Meta(max_length=4_096)]
"""A signed-note verifier key; that of ML-DSA-44 has 1,313 bytes in base64."""


class Recipients(Noun, frozen=True, kw_only=True):
    """To whom boxes seal. Signed offline, 2 of 3: who chooses recipients reads everything.

    Attributes:
        general: Headquarters' record key.
        escrow: Kept offline and split.
        protection: The protection unit's key, instead of the general one in a victim's file.
    """

    version: Version
    general: AgeRecipient
    escrow: AgeRecipient
    protection: AgeRecipient


class RosterKey(Noun, frozen=True, kw_only=True):
    """A key of headquarters and what it may sign.

    Attributes:
        role: RECEIPTS, COSIGN_ED25519, COSIGN_MLDSA44, or one of downlink.py; a box passes over others.
        public: Raw public key.
        vkey: The same as a signed-note verifier key, "" when it signs no notes.
    """

    role: Word
    public: Annotated[bytes, Meta(min_length=32, max_length=2_600)]
    vkey: Vkey = ""


class RosterBox(Noun, frozen=True, kw_only=True):
    """One enrolled box.

    Attributes:
        identity_der: Public identity key (P-256), SubjectPublicKeyInfo DER.
        log_vkey: Verifier key of its newest log.
        origins: Its logs, oldest first.
        age_recipient: For what comes down to this box alone.
        tls_sha256: SHA-256 of its TLS certificate's DER.
        revoked: No longer trusted: headquarters takes nothing more from it and gives it nothing. What it delivered
            before stays, and is still verified by these keys.
        revoked_ms: Since when, headquarters' time, milliseconds since 1970; 0 while it is not. What headquarters has
            signed until then shows which entries existed; the keys prove nothing of later ones.
    """

    serial: Word
    identity_der: Annotated[bytes, Meta(min_length=1, max_length=512)]
    log_vkey: Vkey
    origins: Annotated[tuple[Annotated[str, Meta(max_length=129)], ...], Meta(max_length=64)]
    age_recipient: AgeRecipient
    tls_sha256: Digest
    revoked: bool = False
    revoked_ms: Annotated[int, Meta(ge=0, le=253_402_300_799_999)] = 0


class Roster(Noun, frozen=True, kw_only=True):
    """Who is who. Signed offline, 2 of 3."""

    version: Version
    keys: Annotated[tuple[RosterKey, ...], Meta(max_length=64)]
    boxes: Annotated[tuple[RosterBox, ...], Meta(max_length=100_000)]

    def key(self, role: str) -> RosterKey:
        """The newest key of a role. Raises Untrusted when the roster has none."""
        for key in reversed(self.keys):
            if key.role == role:
                return key
        raise Untrusted(f"the roster has no key for the role {role}")

    def keys_of(self, role: str) -> tuple[RosterKey, ...]:
        """Every key of a role, former ones too, newest first."""
        return tuple(key for key in reversed(self.keys) if key.role == role)

    def box(self, serial: str) -> RosterBox | None:
        """The box with this serial number, None when it is not enrolled."""
        return next((box for box in self.boxes if box.serial == serial), None)


class Policy(Noun, frozen=True, kw_only=True):
    """What the release says of itself.

    Attributes:
        version: The release's version, equal to that of its snapshot.
        signed_ms: When headquarters signed it, milliseconds since 1970; a proven lower bound of time (I9).
        dated: The same as a day in UTC.
        sources: What it has of each source, and what it left out; () before the first import.
    """

    version: Version
    signed_ms: Annotated[int, Meta(ge=1)]
    dated: date
    sources: Annotated[tuple[ListedSource, ...], Meta(max_length=SOURCES_MAX)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A list of the release that cannot be searched; `why` in plain words."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A verified release.

    Attributes:
        version, dated, signed_ms: As its policy says.
        rules: Headquarters' own, or those that every box is delivered with where it has none.
        persons: The verified bytes of the persons list, sealed.
        documents: The documents list, its tail verified, then its deltas, verified whole.
    """

    version: int
    dated: date
    signed_ms: int
    recipients: Recipients
    roster: Roster
    policy: Policy
    persons: bytes | Damaged
    documents: tuple[Source, ...] | Damaged
    rules: Rules = DEFAULT_RULES


T = TypeVar("T", Recipients, Roster, Policy)


def _parse(data: bytes, kind: type[T], path: str) -> T:
    if len(data) > TARGET_BYTES_MAX[path]:
        raise Malformed(path, f"{len(data)} bytes, at most {TARGET_BYTES_MAX[path]}")
    try:
        return msgspec.json.decode(data, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(path, refusal(error)) from None


def encode_target(content: Recipients | Roster | Policy) -> bytes:
    """JSON of a target, byte strings as base64; equal contents have equal bytes."""
    return msgspec.json.encode(content, order="deterministic")


def encode_recipients(recipients: Recipients) -> bytes:
    """`recipients/recipients.json`."""
    return encode_target(recipients)


def parse_recipients(data: bytes) -> Recipients:
    """Parse `recipients/recipients.json`. Raises Malformed."""
    return _parse(data, Recipients, RECIPIENTS_TARGET)


def encode_roster(roster: Roster) -> bytes:
    """`roster/roster.json`."""
    return encode_target(roster)


def parse_roster(data: bytes) -> Roster:
    """Parse `roster/roster.json`. Raises Malformed."""
    return _parse(data, Roster, ROSTER_TARGET)


def parse_policy(data: bytes) -> Policy:
    """Parse `policy/policy.json`. Raises Malformed."""
    return _parse(data, Policy, POLICY_TARGET)


def _target(files: Mapping[str, bytes], named: Mapping[str, TargetFile], path: str) -> bytes:
    meta = named.get(path)
    if meta is None:
        raise Untrusted(f"{path} is not in the release")
    data = files.get(f"targets/{path}")
    if data is None:
        raise Untrusted(f"{path} is missing")
    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        raise Untrusted(f"{path} is not the file that headquarters signed: length or hash differs") from None
    return data


def _rules(files: Mapping[str, bytes], named: Mapping[str, TargetFile]) -> Rules:
    return parse_rules(_target(files, named, RULES_TARGET)) if RULES_TARGET in named else DEFAULT_RULES


def _persons(files: Mapping[str, bytes], named: Mapping[str, TargetFile]) -> bytes | Damaged:
    try:
        return _target(files, named, PERSONS_TARGET)
    except Untrusted as error:
        return Damaged(why=str(error))


def _documents(
    files: Mapping[str, bytes], base: Source | None, named: Mapping[str, TargetFile]
) -> tuple[Source, ...] | Damaged:
    """The base and its deltas: all of them or none, since half of the changes would be a wrong answer."""
    deltas = sorted(path for path in named if DELTA_NAME.fullmatch(path))
    if sum(named[path].length for path in deltas) > DELTAS_BYTES_MAX:
        return Damaged(why=f"{DOCUMENTS_TARGET}: its deltas have more than {DELTAS_BYTES_MAX} bytes")
    try:
        if base is None:
            base = HeldBytes(_target(files, named, DOCUMENTS_TARGET))
        check_tail(base, named.get(DOCUMENTS_TARGET))
        return base, *(HeldBytes(_target(files, named, path)) for path in deltas)
    except (Untrusted, Malformed, StorageFault) as error:
        return Damaged(why=str(error))


def check_tail(source: Source, meta: TargetFile | None) -> None:
    """Check that a documents list ends as signed, so that each of its pages can be checked when it is read.

    Raises:
        Untrusted, Malformed: It does not.
        StorageFault: It cannot be read.
    """
    if meta is None:
        raise Untrusted(f"{DOCUMENTS_TARGET} is not in the release")
    custom: Any = meta.custom
    signed = custom.get(TAIL_SHA256) if isinstance(custom, dict) else None
    if source.length != meta.length or hashlib.sha256(read_tail(source)).hexdigest() != signed:
        raise Untrusted(f"{DOCUMENTS_TARGET} is not the file that headquarters signed: length or hash differs")


def verify_release(files: Mapping[str, bytes], pinned_root: bytes, *, documents: Source | None = None) -> Release:
    """Verify a release and every file of it, without expiry.

    Args:
        files: By path in the release's folder, as `verify_chain` has them, and "targets/<path>".
        pinned_root: The root that enrolment pinned.
        documents: The documents list where it lies; its pages are then verified when they are read. None when it is
            in `files`, or missing.

    Raises:
        Malformed: Metadata, recipients, roster, policy or rules are not in their format.
        Untrusted: A signature, version or hash of them does not hold. (A list that does not hold is Damaged.)
    """
    chain = verify_chain(files, pinned_root)
    policy = parse_policy(_target(files, chain.targets["policy"], POLICY_TARGET))
    if policy.version != chain.version:
        raise Untrusted(f"the policy is of release {policy.version}, the snapshot of {chain.version}")
    return Release(
        version=chain.version,
        dated=policy.dated,
        signed_ms=policy.signed_ms,
        recipients=parse_recipients(_target(files, chain.targets["recipients"], RECIPIENTS_TARGET)),
        roster=parse_roster(_target(files, chain.targets["roster"], ROSTER_TARGET)),
        policy=policy,
        rules=_rules(files, chain.targets["policy"]),
        persons=_persons(files, chain.targets["lists"]),
        documents=_documents(files, documents, chain.targets["lists"]),
    )
