"""Stage 6 of 8: record - the recorder: what it answers to each role. A closed set of verbs, and nothing waits."""

import secrets
from typing import Final, assert_never

from appliance.errors import Malformed, StorageFull, Untrusted
from appliance.formats.receipt import LogReceipt, encode_log_receipt
from appliance.formats.record import RECORD_SCHEMA, commitment, encode_record
from appliance.formats.wire import (
    Acknowledge,
    Append,
    Appended,
    Cases,
    Cosigned,
    Deliver,
    Done,
    Event,
    Exported,
    Hello,
    Inbox,
    Keys,
    LastCosigned,
    ListCases,
    ListKeys,
    RefusedReply,
    Reply,
    Request,
    Spared,
    SparedEntries,
    StickSeen,
    Switched,
    Voice,
    Welcome,
)
from appliance.model import Mode, Priority
from appliance.record.answers import Answers
from appliance.record.case_change import CaseChange, change_of
from appliance.record.delivery import Delivery
from appliance.record.downlink import Downlinks
from appliance.record.headquarters import Headquarters
from appliance.record.held_keys import HeldKeys
from appliance.record.intake import RefusedWith, check_append
from appliance.record.log import Attached, Log
from appliance.record.places import Places
from appliance.record.room import Purpose
from appliance.record.seal import Seal
from appliance.record.starts import log_rules
from appliance.record.stores import Stores
from appliance.recorded import Canary, Picture, Record

BOOTH_EVENTS: Final = frozenset(
    {
        "device_changed",
        "lid_changed",
        "looked_up",
        "page_started",
        "signed_in",
        "signed_out",
        "sign_in_failed",
        "not_recorded",
    }
)
STICKS_LOGGED_MAX: Final = 64
"""Of a kind in one epoch: a taken-over uplink or audit must not fill the disk with them."""


class Recorder:
    """An enrolled box's recorder.

    Args:
        log: Recovered, its first epoch begun.
        stores: Room, bodies and cases.
        headquarters: The release in service, or none yet.
        mode: What this box records.
        places: Where the cosigned checkpoint goes.

    Attributes:
        pictures_refused: Whether the last picture was refused for want of room.
    """

    def __init__(self, log: Log, stores: Stores, headquarters: Headquarters, mode: Mode, places: Places) -> None:
        self.log = log
        self.stores = stores
        self.headquarters = headquarters
        self.pictures_refused = False
        self._mode = mode
        self._places = places
        self._told: dict[str, tuple[int, int]] = {}
        self._delivery = Delivery(log, stores, headquarters, places)
        self._keys = HeldKeys(places.held_keys, places.at_rest)
        self._downlinks = Downlinks(log, stores, headquarters, self._keys, places)
        self._answers = Answers(log, stores, self._keys)

    def answer(self, request: Request, memfd: bytes | None) -> Reply:
        """Answer one request; the answer is to be given after `log.sync` only.

        Raises:
            StorageFault: The storage failed; the process must end.
        """
        try:
            return self._answer(request, memfd)
        except RefusedWith as refusal:
            return refusal.reply
        except StorageFull as error:
            return RefusedReply(code="storage_full", words=str(error))
        except Malformed as error:
            return RefusedReply(code="malformed", words=str(error)[:2_000])
        except Untrusted as error:
            return RefusedReply(code="untrusted", words=str(error)[:2_000])

    def look_at_shelf(self) -> None:
        """Take a newly verified release into service and log it; seal a canary when the recipients are new here."""
        before = self.log.scribe.recipients_version
        first = self.headquarters.seal is None
        if not self.headquarters.look(recipients_at_least=before):
            return
        seal = self._ready()
        self.log.scribe.recipients_version = seal.version
        self.log.event(
            "release_switched",
            {
                "version": str(self.headquarters.version),
                "dated": self.headquarters.dated,
                "recipients": str(seal.version),
                "rules": str(self.headquarters.rules),
            },
        )
        log_rules(self.log, self._places, self.headquarters.rules)
        if first or seal.version != before:
            self.seal_canary()

    def verify_kept_receipts(self) -> bool:
        """As `Delivery.verify_kept`."""
        return self._delivery.verify_kept()

    def seal_canary(self) -> None:
        """Seal a canary under the epoch's recipients: headquarters shows with it that it can open what follows (I4)."""
        seal = self._ready()
        record = Record(
            schema=RECORD_SCHEMA,
            origin=self.log.scribe.origin,
            record_id=secrets.token_hex(16),
            mode=self._mode,
            salt=secrets.token_bytes(32),
            at=self.log.scribe.now(),
            crossing=None,
            person=None,
            body=Canary(epoch=self.log.scribe.epoch.number, recipients_version=seal.version),
        )
        encoded = encode_record(record)
        body = seal.seal(encoded, commitment(encoded))
        self.log.append(body.sealed, Attached(blob=body.blob, priority=Priority.HEAD, purpose=Purpose.UPKEEP))

    def _answer(self, request: Request, memfd: bytes | None) -> Reply:
        if memfd is not None and not isinstance(request, Append):
            raise Malformed("message", "only a record comes in a memfd")
        match request:
            case Append():
                return self._append(request, memfd)
            case Hello():
                return self._welcome()
            case LastCosigned():
                return Cosigned(note=self._delivery.last_cosigned())
            case ListKeys():
                return Keys(keys=self._keys.lists)
            case ListCases() | Inbox() | Voice() | Spared():
                return self._of_cases(request)
            case _:
                self._take(request)
                return Done()

    def _of_cases(self, request: ListCases | Inbox | Voice | Spared) -> Reply:
        match request:
            case ListCases():
                return Cases(cases=self.stores.cases.page(request.skip))
            case Inbox():
                return self._answers.inbox()
            case Voice():
                return self._answers.voice(request)
            case Spared():
                return SparedEntries(entries=self.stores.not_same.spared(request))
            case _:
                assert_never(request)

    def _take(self, request: Event | Acknowledge | Cosigned | Deliver | Switched | StickSeen | Exported) -> None:
        match request:
            case Event():
                self._booth_event(request)
            case Acknowledge():
                self._delivery.acknowledge(request)
            case Cosigned():
                self._delivery.cosigned(request)
            case Deliver():
                self._downlinks.deliver(request)
            case Switched():
                self._switched(request)
            case Exported():
                self._carried("exported", {"entries": str(request.entries), "bodies": str(request.bodies)})
            case StickSeen():
                self._carried("stick_seen", {"messages": str(request.messages), "lists": request.lists})
            case _:
                assert_never(request)

    def _welcome(self) -> Welcome:
        return Welcome(
            origin=self.log.scribe.origin,
            mode=self._mode,
            log_vkey=self.log.scribe.verifier.vkey(),
            ready=self.headquarters.seal is not None,
            why=self.headquarters.why if self.headquarters.seal is None else "",
        )

    def _append(self, request: Append, memfd: bytes | None) -> Appended:
        seal = self._ready()
        record, encoded = check_append(request, memfd, origin=self.log.scribe.origin, mode=self._mode)
        committed = commitment(encoded)
        again = self.log.find(committed)
        if again is not None:
            return _appended(again)
        change = change_of(request, record, self.stores.cases.find)
        picture = isinstance(record.body, Picture)
        if picture:
            self._room_for_picture(len(encoded))
        body = seal.seal(encoded, committed)
        attached = self._attached(change, body.blob, request.priority)
        return _appended(self.log.write(body.sealed, attached))

    def _attached(self, change: CaseChange, blob: bytes, priority: Priority) -> Attached:
        """A body and what becomes of open cases, sealed. Raises Malformed: such a case was asked about before."""
        stores, told = self.stores, change.told_apart
        opens, updates, asks = change.opens, change.updates, change.asks
        return Attached(
            blob=blob,
            priority=priority,
            purpose=Purpose.PICTURE if priority is Priority.BULK else Purpose.RECORD,
            opens=None if opens is None else (opens, stores.cases.seal(opens, self.log.scribe.now())),
            updates=None if updates is None else (updates, stores.cases.reseal(updates)),
            closes=change.closes,
            taken=None if asks is None else stores.counters.taken.ask(asks),
            judged=() if told is None else stores.not_same.judge(told, spared=change.spared),
        )

    def _room_for_picture(self, size: int) -> None:
        """Refuse before the work of sealing; the first refusal of a row is logged."""
        try:
            self.stores.room.take(2 * size, Purpose.PICTURE)
        except StorageFull:
            if not self.pictures_refused:
                self.pictures_refused = True
                self.log.event("storage_low", {"free_percent": self.free_percent()})
            raise

    def free_percent(self) -> str:
        """Free share of the disk for an event's field."""
        return str(int(self.stores.room.free_share * 100))

    def _booth_event(self, request: Event) -> None:
        if request.event not in BOOTH_EVENTS:
            raise Malformed("event", "not one that the booth may log")
        self.log.event(request.event, request.fields, Attached())

    def _carried(self, event: str, fields: dict[str, str]) -> None:
        """Log what uplink or audit tells of sticks, no more often than anybody handles them. Raises RefusedWith."""
        epoch = self.log.scribe.epoch.number
        last, count = self._told.get(event, (epoch, 0))
        count = count + 1 if last == epoch else 1
        self._told[event] = epoch, count  # each its own: an uplink that tells too much keeps no export from being made
        if count > STICKS_LOGGED_MAX:
            raise RefusedWith("busy", "More sticks than anybody puts in within a day: not logged.")
        self.log.event(event, fields)

    def _switched(self, request: Switched) -> None:
        self.look_at_shelf()
        if self.headquarters.version < request.version:
            raise Untrusted(self.headquarters.why or "that version is not on the shelf")

    def _ready(self) -> Seal:
        seal = self.headquarters.seal
        if seal is None:
            raise RefusedWith("not_ready", self.headquarters.why)
        return seal


def _appended(receipt: LogReceipt) -> Appended:
    return Appended(receipt=encode_log_receipt(receipt))


def not_enrolled(request: Request, mode: Mode, why: str) -> Reply:
    """What a box answers that has no keys yet."""
    if isinstance(request, Hello):
        return Welcome(origin="", mode=mode, log_vkey="", ready=False, why=why)
    return RefusedReply(code="not_ready", words=why)
