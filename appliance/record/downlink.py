"""Stage 6 of 8: record - what headquarters says to this box alone: opened, verified, taken once, logged (I10).

The uplink or a stick brings sealed bytes, and nothing that they hold can do more than be refused. A key is kept durably
before the entry that says that its message was taken; a crash in between leaves it untaken, it comes again, and keeping
it twice changes nothing. An answer travels in that entry's own frame, sealed with its case, and is gone with it.

A flood: only what does not hold is counted, since headquarters' own messages are as many as it makes. REFUSALS_BURST at
once and then REFUSALS_PER_S a second cost a few milliseconds each (one decapsulation, one signature), below one percent
of a slow processor; beyond that the answer is `busy` before a byte is opened. A light waits for one message at most
(sockets.py).
"""

import hashlib
from typing import Final, assert_never

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import Identity, parse_identity
from appliance.formats.downlink import (
    CaseAnswer,
    Downlink,
    ListKey,
    VoiceKey,
    downlink_digest,
    open_downlink,
    role_of,
)
from appliance.formats.wire import Answered, Deliver
from appliance.record.headquarters import Headquarters
from appliance.record.held_keys import HeldKeys
from appliance.record.intake import RefusedWith
from appliance.record.log import Attached, Log
from appliance.record.open_case import OpenCase
from appliance.record.places import Places
from appliance.record.room import Purpose
from appliance.record.stores import Stores

IDENTITY_BYTES_MAX: Final = 4_096
REFUSALS_BURST: Final = 32
REFUSALS_PER_S: Final = 2


class Downlinks:
    """Takes headquarters' messages to this box."""

    def __init__(self, log: Log, stores: Stores, headquarters: Headquarters, keys: HeldKeys, places: Places) -> None:
        self._log = log
        self._stores = stores
        self._headquarters = headquarters
        self._keys = keys
        self._places = places
        self._identity: Identity | None = None
        self._patience = float(REFUSALS_BURST)
        self._asked_ms = log.scribe.now().boot_ms
        self._last = b""

    def deliver(self, request: Deliver) -> None:
        """Open, verify, keep and log one message; the very bytes of the last one have been, and nothing is done.

        So an uplink that ended between our answer and its own note of it is not told that it brings a replay.

        Raises:
            RefusedWith: There is no release to verify it with, no key to open it with, or too many did not hold.
            Malformed, Untrusted: It is no message of headquarters to this box, or was taken before.
            StorageFull, StorageFault: As `Log.append`; it was not taken.
        """
        if self._headquarters.seal is None:
            raise RefusedWith("not_ready", self._headquarters.why)
        sha256 = hashlib.sha256(request.sealed).digest()
        if sha256 == self._last:
            return
        self._be_patient()
        identity = self._age_identity()
        try:
            signed = open_downlink(request.sealed, identity)
            said = self._headquarters.verify_downlink(signed, box=self._log.scribe.box)
            taken = self._stores.counters.taken.take(role_of(said.message), said.counter)
        except (Malformed, Untrusted):
            self._patience -= 1
            raise
        kept, updates = self._kept(said, signed)
        fields = {"role": role_of(said.message), "counter": str(said.counter), "kept": "yes" if kept else "no"}
        case = None if updates is None else (updates, self._stores.cases.reseal(updates))
        self._log.event("downlink_taken", fields, Attached(taken=taken, updates=case, purpose=Purpose.UPKEEP))
        self._last = sha256

    def _kept(self, said: Downlink, signed: bytes) -> tuple[bool, OpenCase | None]:
        """Keep a key; or the case with its answer. Whether there is a use for it yet."""
        match said.message:
            case ListKey() | VoiceKey() as key:
                return self._keys.take(key, said.counter), None
            case CaseAnswer(of=of, verdict=verdict, words=words, by=by):
                found = self._stores.cases.find(of)
                if found is None:
                    return False, None
                digest = downlink_digest(signed)
                answer = Answered(of=of, verdict=verdict, words=words, by=by, at_ms=said.at_ms, digest=digest)
                return True, found.answered(answer)
            case _:
                assert_never(said.message)

    def _be_patient(self) -> None:
        """Raises RefusedWith while more did not hold than a peer in its right mind brings."""
        now_ms = self._log.scribe.now().boot_ms
        earned = (now_ms - self._asked_ms) * REFUSALS_PER_S / 1_000
        self._patience, self._asked_ms = min(self._patience + earned, REFUSALS_BURST), now_ms
        if self._patience < 1:
            raise RefusedWith("busy", "Too many messages did not hold. Bring the next one in a second.")

    def _age_identity(self) -> Identity:
        if self._identity is None:
            try:
                text = self._places.at_rest.read(self._places.age_identity, IDENTITY_BYTES_MAX).decode("ascii")
                self._identity = parse_identity(text.strip())
            except (OSError, UnicodeDecodeError, Malformed, Untrusted):
                raise RefusedWith("not_ready", "This box's own key for messages cannot be read.") from None
        return self._identity
