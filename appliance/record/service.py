"""Stage 6 of 8: record - the recorder's process: one loop, a door a role.

It answers from the first moment: before enrolment and before the first release it says so in plain words, and refuses.
"""

import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from socket import socket
from types import FrameType
from typing import Final

from appliance.errors import Malformed, StorageFull, Untrusted
from appliance.files import storage
from appliance.formats.wire import (
    RefusedReply,
    Reply,
    Request,
    encode,
    parse_audit_request,
    parse_booth_request,
    parse_releases_request,
    parse_uplink_request,
)
from appliance.model import Mode
from appliance.notify import ALIVE, READY, notify
from appliance.record.headquarters import Headquarters
from appliance.record.places import Places
from appliance.record.recorder import Recorder, not_enrolled
from appliance.record.recovery import recover
from appliance.record.signing import Signing
from appliance.record.sockets import Doors, Packet, Role
from appliance.record.starts import log_start
from appliance.record.upkeep import LOOK_S, Upkeep
from drivers.api import DeviceError

PARSERS: Final[Mapping[Role, Callable[[bytes], Request]]] = {
    Role.BOOTH: parse_booth_request,
    Role.UPLINK: parse_uplink_request,
    Role.RELEASES: parse_releases_request,
    Role.AUDIT: parse_audit_request,
}
REFUSALS_LOGGED_MAX: Final = 16
"""Refusals of one kind at one door that one start logs: nobody fills the log by knocking, nor hides another's knock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the recorder is given.

    Attributes:
        signing: Makes the keys' owner; raises DeviceError, StorageFault or Untrusted while the box has no keys, or
            does not come to them.
        headquarters: Reads the shelf.
        uids: The one uid allowed at each role's door; no door for a role that is not among them.
        hold_after_ack_h, picture_reserve_share: As RecorderConfig.
        config_sha256: Of box.toml, hexadecimal.
    """

    places: Places
    mode: Mode
    signing: Callable[[], Signing]
    headquarters: Headquarters
    uids: Mapping[Role, int]
    hold_after_ack_h: int
    picture_reserve_share: float
    config_sha256: str


class Service:
    """Runs until it is told to stop."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        with storage("making the folder of the doors"):
            setting.places.runtime.mkdir(parents=True, exist_ok=True)
        self._doors = Doors(setting.places.runtime, setting.uids, self._refused_at_door)
        self._recorder: Recorder | None = None
        self._upkeep: Upkeep | None = None
        self._why = "This box is not enrolled yet."
        self._refusals: list[tuple[Role, str]] = []
        self._refusals_logged = Counter[tuple[Role, str]]()
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGTERM; then publish what waits and return.

        Raises:
            StorageFault: The storage failed: the supervisor restarts, and recovery decides what holds.
        """
        signal.signal(signal.SIGTERM, self._stop)
        notify(READY)
        try:
            while not self._stopping:
                self._turn()
                notify(ALIVE)
            if self._upkeep is not None:
                self._upkeep.leave()
        finally:
            self._doors.close()

    def _turn(self) -> None:
        if self._upkeep is None:
            self._begin()
        packets = self._doors.wait(LOOK_S if self._upkeep is None else self._upkeep.patience())
        self._answer(packets)
        if self._upkeep is not None:
            self._log_refusals()
            try:
                self._upkeep.tend(quiet=not packets)
            except DeviceError as error:  # an epoch ends, and the token that certifies the next one is away
                self._close(error)

    def _begin(self) -> None:
        """Open the log once the box has its keys."""
        setting = self._setting
        try:
            if not setting.places.log_vkey.exists():
                return
            signing = setting.signing()
            self._recorder = self._open(signing)
        except (DeviceError, Untrusted) as error:
            self._why = f"This box cannot sign: {error}"[:256]
            return
        except StorageFull as error:
            self._why = str(error)
            return
        self._upkeep = Upkeep(
            self._recorder,
            setting.places,
            hold_after_ack_h=setting.hold_after_ack_h,
            picture_reserve_share=setting.picture_reserve_share,
            kept=signing.kept,
        )
        self._upkeep.write_status()

    def _open(self, signing: Signing) -> Recorder:
        setting = self._setting
        places = replace(setting.places, at_rest=signing.at_rest)
        recovered = recover(places, signing, picture_share=setting.picture_reserve_share)
        log = recovered.log
        try:
            log.begin_epoch()
            log_start(
                log,
                setting.places,
                recovered.last,
                software=signing.software,
                config_sha256=setting.config_sha256,
            )
            if recovered.entries or recovered.torn_bytes:
                log.event("recovered", {"entries": str(recovered.entries), "torn_bytes": str(recovered.torn_bytes)})
            recorder = Recorder(log, recovered.stores, setting.headquarters, setting.mode, places)
            recorder.look_at_shelf()
        except (StorageFull, DeviceError):  # a token that was pulled just now: tried again
            log.journal.close()
            raise
        return recorder

    def _close(self, why: DeviceError) -> None:
        """Record nothing until the keys are there again; what was recorded is durable, and is published then."""
        assert self._recorder is not None
        if self._recorder.headquarters.seal is not None:
            self._recorder.headquarters.seal.forget(older_than_s=0)
        self._recorder.log.journal.close()
        self._recorder = self._upkeep = None
        self._why = f"This box cannot sign: {why}"[:256]

    def _answer(self, packets: Sequence[Packet]) -> None:
        """Answer all after one sync of all that they recorded; a connection ends with what is no message.

        Answers are encoded before the sync, while all that it takes is at hand in the processor.
        """
        answers: list[tuple[Packet, bytes, bool]] = []
        ended: set[socket] = set()
        for packet in packets:
            if packet.connection in ended:
                continue
            try:
                request = PARSERS[packet.role](packet.message)
            except Malformed as error:
                self._refused_at_door(packet.role, "verb")
                refused = RefusedReply(code="malformed", words=str(error)[:2_000])
                answers.append((packet, encode(refused), True))
                ended.add(packet.connection)
            else:
                answers.append((packet, encode(self._reply(request, packet.record)), False))
        if self._recorder is not None:
            self._recorder.log.sync()
        for packet, answer, last in answers:
            self._doors.reply(packet, answer, last=last)

    def _reply(self, request: Request, memfd: bytes | None) -> Reply:
        if self._recorder is None:
            return not_enrolled(request, self._setting.mode, self._why)
        return self._recorder.answer(request, memfd)

    def _refused_at_door(self, role: Role, why: str) -> None:
        if self._refusals_logged[role, why] < REFUSALS_LOGGED_MAX:
            self._refusals_logged[role, why] += 1
            self._refusals.append((role, why))

    def _log_refusals(self) -> None:
        assert self._recorder is not None
        while self._refusals:
            role, why = self._refusals[-1]
            try:
                self._recorder.log.event("peer_refused", {"role": role.value, "why": why})
            except StorageFull:
                return
            self._refusals.pop()

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
