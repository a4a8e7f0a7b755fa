"""What an exhibit says: everything that its report shows and its verifier checks, in one struct.

`evidence/exhibit.json` is this as JSON. It proves nothing by itself: each statement here names the file beside it that
proves it (README.md has the folder). Hashes are lower-case hexadecimal, paths are relative to the exhibit's folder.
"""

from typing import Any, Literal

from appliance.clock import Instant
from appliance.model import Mode, Noun

EXHIBIT_SCHEMA = 1


class Trust(Noun, frozen=True, kw_only=True):
    """What the proofs rest on; to be compared with what headquarters published, over another way than this folder.

    Attributes:
        root_sha256: Of `evidence/roster/1.root.json`, the root of headquarters' repository: it vouches for the rest.
        identity_fingerprint: The first 20 hexadecimal digits of SHA-256 of `evidence/identity.der`, in groups of four.
        log_vkey: The key that signs the log's checkpoints (`evidence/log.vkey`).
        cosigner_vkeys: Headquarters' cosigners (`evidence/cosigners.vkey`, a line each).
        receipts_key: Of delivery receipts, 32 bytes; "" when there is no receipt.
        custody_vkey: The key that signs headquarters' custody log (`evidence/custody/log.vkey`).
        roster_version: Of the signed roster that names these keys (`evidence/roster/`).
        revoked: The roster says that this box is no longer trusted; what it recorded before stays.
    """

    root_sha256: str
    identity_fingerprint: str
    log_vkey: str
    cosigner_vkeys: tuple[str, ...]
    receipts_key: str
    custody_vkey: str
    roster_version: int
    revoked: bool = False


class Cosignature(Noun, frozen=True, kw_only=True):
    """Headquarters saw this tree at this time; `at_ms` is headquarters' time, milliseconds since 1970."""

    name: str
    algorithm: Literal["Ed25519", "ML-DSA-44"]
    at_ms: int


class TreeHead(Noun, frozen=True, kw_only=True):
    """The checkpoint that all proofs of this exhibit lead to (`evidence/checkpoint`).

    Attributes:
        digest: SHA-256 of its text, by which later statements name it.
        cosignatures: Those of headquarters that hold; () when headquarters cosigned another one only.
    """

    origin: str
    size: int
    root: str
    digest: str
    cosignatures: tuple[Cosignature, ...]


class TimeSide(Noun, frozen=True, kw_only=True):
    """One side of a proven interval.

    Attributes:
        at_ms: Headquarters' time, milliseconds since 1970.
        by: What proves it: "cosigned checkpoint", "delivery receipt", "cosignature of this checkpoint", "signed
            release", "software build", or what provisioning/audit/when.py calls it.
        file: The file that proves it, "" when it is not in this folder.
    """

    at_ms: int
    by: str
    file: str = ""


class ProvenTime(Noun, frozen=True, kw_only=True):
    """When an entry was made: what is proven, and what is only claimed (`evidence/time.json`).

    Attributes:
        after, before: The proven interval; None where nothing proves that side.
        claimed: The box's clocks when the entry was made: a claim with a grade.
        spacing: Distances to neighbours of the same boot, in words ("3 min 20 s after entry 812").
    """

    after: TimeSide | None
    before: TimeSide | None
    claimed: Instant
    spacing: tuple[str, ...] = ()


class Former(Noun, frozen=True, kw_only=True):
    """Where an entry stood before, in a log that its box lost (`former/` in the entry's folder).

    Attributes:
        origin, index: The lost log, and the entry's place in it.
        size: Of that log's checkpoint here.
        claimed: The box's clocks when it stood there first.
        cosigned_ms: Headquarters had cosigned that checkpoint by then, ms since 1970; None when it had not.
    """

    origin: str
    index: int
    size: int
    claimed: Instant
    cosigned_ms: int | None


class EntryFacts(Noun, frozen=True, kw_only=True):
    """One entry of the log, with the files that prove it, all in `folder`.

    Attributes:
        folder: `evidence` for the record that was asked for, `evidence/entries/<index>` for those that belong to it,
            `evidence/logs/<n>/entries/<index>` for those in another log of the same box.
        index: Its place in the log.
        kind: "screened", "outcome", "transition", "hand_over", "picture" or "carrier_check"; "" when it is not opened.
        record_id: 32 hexadecimal digits; "" when it is not opened.
        leaf_hash: RFC 6962 hash of `statement.cose`.
        commitment: SHA-256("landlink.example/commit/v1" || 00 || `record.cbor`), as the statement has it.
        blob_sha256, blob_bytes: Of `body.age`, as the statement has them.
        epoch, epoch_index: Whose key signed the statement, and the leaf that certifies it (`epoch.cose`).
        recipients_version: To whom it was sealed.
        time: When.
        record: The opened record as `record.json` has it; None when the body is not here or was erased. A removed
            value is null.
        redacted: Paths of what was removed from `record` ("body.document.primary_identifier"), () in a full exhibit.
        picture: Path of the image, where it is one and was opened; "" otherwise.
        why_closed: Why `record` is None, in words; "" when it is there.
        former: Where it stood before the box lost a log and carried it over; None where it did not, or it is not here.
        origin: Its log, where that is another one of the box than the exhibit's; "" otherwise.
    """

    folder: str
    index: int
    kind: str
    record_id: str
    leaf_hash: str
    commitment: str
    blob_sha256: str
    blob_bytes: int
    epoch: int
    epoch_index: int
    recipients_version: int
    time: ProvenTime
    record: dict[str, Any] | None
    redacted: tuple[str, ...] = ()
    picture: str = ""
    why_closed: str = ""
    former: Former | None = None
    origin: str = ""


class AnswerFacts(Noun, frozen=True, kw_only=True):
    """One answer of headquarters to the box about this record (`evidence/answers/said.json`).

    Attributes:
        at_ms: Headquarters' time, milliseconds since 1970.
        verdict: "confirmed" or "not confirmed".
        words, by: For the officer, and by whom; None when removed.
        sha256: Of the signed answer; "" for a code that was read out over a telephone.
        file: The signed answer; "" when it is not here: what is told is then headquarters' word alone.
        named_by: The entry whose record names the answer by its hash; None when none does.
    """

    at_ms: int
    verdict: str
    words: str | None
    by: str | None
    sha256: str = ""
    file: str = ""
    named_by: int | None = None


class SignedFile(Noun, frozen=True, kw_only=True):
    """One file of the release that was in force: its TUF path, length and SHA-256, and where a copy lies here."""

    path: str
    bytes: int
    sha256: str
    file: str = ""


class InForce(Noun, frozen=True, kw_only=True):
    """What the box worked with when it made the record.

    Attributes:
        software: Version, from the epoch's certificate.
        release: Version of the release in force, from the log's entry `release_switched`; 0 before the first.
        release_index: That entry's index; None before the first.
        dated: The release's day, `YYYY-MM-DD`; "" before the first.
        recipients, rules: Versions in it.
        files: Its files as signed (`evidence/release/`); () where headquarters has them no more.
        missing: What headquarters has no more of its signed metadata, in words; "" when all is here.
    """

    software: str
    release: int
    release_index: int | None
    dated: str
    recipients: int
    rules: int
    files: tuple[SignedFile, ...] = ()
    missing: str = ""


class CustodyFacts(Noun, frozen=True, kw_only=True):
    """One entry of headquarters' own log about this record.

    Attributes:
        index: In the custody log; its leaf is `evidence/custody/<index>.cbor`, its proof beside it.
        at_ms: Headquarters' time, milliseconds since 1970.
        act: As act.py has it: "opened", "searched", "reported", "replayed", "rules tried", "requests read", "exported",
            "handed over" or "erased".
        by: The operator.
        why, to: In the operator's words, "" when not said or removed.
    """

    index: int
    at_ms: int
    act: str
    by: str
    why: str = ""
    to: str = ""


class ReachedBy(Noun, frozen=True, kw_only=True):
    """Acts of one kind by one operator: how many, and headquarters' times of the first and last, ms since 1970."""

    act: str
    by: str
    count: int
    since_ms: int
    until_ms: int


class Reached(Noun, frozen=True, kw_only=True):
    """Acts that opened this among everything else, summed up (`evidence/custody/reached.json`).

    Attributes:
        count: How many: headquarters' word, which whoever has its log counts again.
        first, last: The first and the last of them in the custody log; both lie here with their proofs.
        leaves_sha256: SHA-256 of the RFC 6962 leaf hashes of all of them, one after the other in log order.
        by: By act and operator.
    """

    count: int
    first: int
    last: int
    leaves_sha256: str
    by: tuple[ReachedBy, ...]


class Custody(Noun, frozen=True, kw_only=True):
    """Who at headquarters opened, exported and handed over this record (`evidence/custody/`).

    Attributes:
        origin, size, root: Of the custody log's checkpoint (`evidence/custody/checkpoint`).
        since_ms: The first entry's time: before it, nobody wrote down who opened what; None for an empty log.
        entries: Acts that name this record, gave it out or destroyed it.
        reached: The others that concern it; None when there were none.
        vouched: The signed roster names its key; otherwise the key vouches for itself alone.
    """

    origin: str
    size: int
    root: str
    since_ms: int | None
    entries: tuple[CustodyFacts, ...]
    reached: Reached | None = None
    vouched: bool = False


class Unproven(Noun, frozen=True, kw_only=True):
    """A stretch of the interval for which this exhibit proves less, and why.

    Attributes:
        from_ms, to_ms: Claimed or proven times, milliseconds since 1970; None where they are unknown.
        first, last: Entries that it concerns, both included; None where it concerns none.
        why: In words.
    """

    from_ms: int | None
    to_ms: int | None
    first: int | None
    last: int | None
    why: str


class Nothing(Noun, frozen=True, kw_only=True):
    """A negative exhibit: that no crossing was recorded in an interval, or none of one document.

    Attributes:
        from_ms, to_ms: The interval asked about, milliseconds since 1970, the first included and the last not.
        number: The document asked about; "" when any crossing was. None when it was removed.
        first, end: The leaves that cover the interval, `end` not included (`evidence/tile/entries/`).
        before: Size of the cosigned tree before the interval (`evidence/start.checkpoint`), 0 where the log begins.
        entries: How many leaves of each kind: "epoch", "event", "sealed".
        opened: How many sealed ones of each kind of record were opened by headquarters.
        awaited: Indices of sealed entries in it that nobody has opened: their body is not here, or does not open.
        found: How many records answer the question: 0, for there is no negative exhibit otherwise.
        unproven: For what part of the interval, and why.
        other_logs: Other logs of the same box, in words; entries there are not covered.
    """

    from_ms: int
    to_ms: int
    number: str | None
    first: int
    end: int
    before: int
    entries: dict[str, int]
    opened: dict[str, int]
    awaited: tuple[int, ...]
    found: int
    unproven: tuple[Unproven, ...]
    other_logs: tuple[str, ...] = ()


class Exhibit(Noun, frozen=True, kw_only=True):
    """One exhibit.

    Attributes:
        kind: "record", or "none" for a negative one.
        made_ms: Headquarters' time, milliseconds since 1970.
        made_by: The operator.
        case: The court's or the operator's words for what it is for; "" when not said.
        serial, origin: The box, and the log.
        entry: The record that was asked for; None in a negative exhibit.
        related: Pictures, outcome, life of the hit and hand-overs that belong to it, in log order; those in
            another log of the box last.
        nothing: Of a negative exhibit.
        answers: What headquarters answered to the box about the record, oldest first.
        redacted: This copy lacks personal data; who has the full one can check by the commitment that only that
            differs.
        problems: What was found in this log that is not as it should be, in words.
    """

    schema: int
    kind: Literal["record", "none"]
    made_ms: int
    made_by: str
    case: str
    domain: str
    mode: Mode
    serial: str
    origin: str
    trust: Trust
    checkpoint: TreeHead
    entry: EntryFacts | None
    related: tuple[EntryFacts, ...]
    nothing: Nothing | None
    in_force: InForce | None
    custody: Custody
    answers: tuple[AnswerFacts, ...] = ()
    redacted: bool = False
    problems: tuple[str, ...] = ()
