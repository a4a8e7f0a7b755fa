"""Stage 6 of 8: record - upkeep: what the recorder does between messages, so that none of it delays a light.

Publication, the turn of journals and the room in them, the syncs of what was published, receipts that an earlier
process kept, headers and case keys made ahead, and the reserve; epochs that end, cases that are too old, releases on
the shelf, bodies that may go, clocks that stepped, the status file.
"""

import contextlib
import time
from typing import Final

from appliance.clock import Instant
from appliance.errors import StorageFull
from appliance.files import replace_file
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.fingerprint import log_fingerprint
from appliance.formats.status import RecorderStatus, encode_status
from appliance.record.carrying import Carrying
from appliance.record.deletion import deletable, ranges_text
from appliance.record.journal import Header
from appliance.record.journals import Rotation
from appliance.record.log import UPKEEP, Attached
from appliance.record.places import Places
from appliance.record.publish import SUPERSEDED_S
from appliance.record.recorder import Recorder
from appliance.record.room import Purpose

PUBLISH_SOON_S: Final = 0.1
"""News are published after this much quiet; each publication leaves partial tiles behind for a day."""

PUBLISH_LATEST_S: Final = 2.0
LOOK_S: Final = 1.0
PRUNE_S: Final = 3_600.0
PUBLISH_SLICE_S: Final = 0.01
"""Publication of many entries is done in slices of this length: between two of them a light may come first."""

DRAIN_S: Final = 0.005
CLOCK_STEP_MS: Final = 2_000
HOUR_MS: Final = 3_600_000
ROOM_AGAIN: Final = 1.1
"""Pictures count as taken again when the free share is this much above the bound, so that no entry a second is made."""


class Upkeep:
    """Looks after one recorder.

    Args:
        recorder: Whose log and stores.
        places: Where they lie.
        hold_after_ack_h: How long an acknowledged body stays, hours between headquarters-signed times.
        picture_reserve_share: The bound for pictures.
        kept: How the box's keys lie, for the status.
    """

    def __init__(
        self,
        recorder: Recorder,
        places: Places,
        *,
        hold_after_ack_h: int,
        picture_reserve_share: float,
        kept: str = "",
    ) -> None:
        self._recorder = recorder
        self._places = places
        self._hold_ms = hold_after_ack_h * HOUR_MS
        self._picture_share = picture_reserve_share
        self._kept = kept
        self._rotation = Rotation(places.private)
        self._carrying = Carrying(recorder.log, recorder.headquarters, places)
        self._heard = self._stepped = self._looked = self._pruned = float("-inf")
        self._judged: tuple[int, int, int] | None = None
        self._clock = recorder.log.scribe.now()
        self._status = b""
        self._refilling = True
        self._cramped = False
        self._held = recorder.stores.room.held

    def patience(self) -> float:
        """How long the recorder may wait for a message before it should tend again, seconds."""
        if self._header_wanted or self._spare_wanted or self._room_wanted or self._rotation.draining:
            return 0.0
        if self._recorder.log.publisher.news:
            return max(0.0, self._heard + PUBLISH_SOON_S - time.monotonic())
        if self._refilling and not self._cramped:
            return 0.0
        return LOOK_S

    @property
    def _spare_wanted(self) -> bool:
        return self._recorder.stores.cases.spare_wanted and not self._cramped

    @property
    def _room_wanted(self) -> bool:
        """In the journal, when all is published; none is made on a disk that is full."""
        log = self._recorder.log
        busy = log.publisher.news or self._cramped or self._recorder.stores.room.spent
        return log.journal.room_wanted and not busy

    @property
    def _header_wanted(self) -> bool:
        seal = self._recorder.headquarters.seal
        return seal is not None and seal.wanted

    def tend(self, *, quiet: bool) -> None:
        """Do what is due.

        Args:
            quiet: No message came for as long as `patience` said.

        Raises:
            StorageFault: The storage failed; the process must end.
        """
        now_s = time.monotonic()
        if self._recorder.headquarters.seal is not None:
            self._recorder.headquarters.seal.forget()
        if not quiet:
            self._heard = now_s
        try:
            if not (quiet and self._made_ahead()):
                self._publish(now_s, quiet=quiet)
            if now_s - self._looked >= LOOK_S:
                self._looked, self._cramped = now_s, False
                self._look(now_s)
            self._reclaim()
        except StorageFull:  # shown in the status and refused to the booth; tried again at the next look
            self._cramped = True
            self.prune(older_than_s=0)
        self.write_status()

    def leave(self) -> None:
        """Log the orderly stop, and publish what waits, so that readers find all of it; the journal has it anyway."""
        with contextlib.suppress(StorageFull):
            self._recorder.log.event("recorder_stopped", {})
        with contextlib.suppress(StorageFull):
            self._recorder.log.publisher.publish()
        self.write_status()

    def write_status(self) -> None:
        """Tell the page and the technician, when something has changed."""
        log, stores = self._recorder.log, self._recorder.stores
        status = encode_status(
            RecorderStatus(
                origin=log.scribe.origin,
                entries=log.size,
                acknowledged=len(stores.bodies.said.received_ms),
                bodies=len(stores.bodies.here),
                free_share=round(stores.room.free_share, 3),
                fingerprint=log_fingerprint(Checkpoint(origin=log.scribe.origin, size=log.size, root=log.root)),
                syncs=log.journal.syncs,
                sync_us=log.journal.sync_us,
                keys=self._kept,
            )
        )
        if status != self._status:
            with contextlib.suppress(StorageFull):
                replace_file(self._places.status, status)
                self._status = status

    def _made_ahead(self) -> bool:
        """One thing that the next record should find ready, the most needed first; False when nothing is wanted."""
        seal = self._recorder.headquarters.seal
        if seal is not None and seal.wanted:
            seal.prepare()
        elif self._spare_wanted:
            self._recorder.stores.cases.refill()
        elif self._room_wanted:
            self._recorder.log.journal.make_room()
        else:
            return False
        return True

    def _publish(self, now_s: float, *, quiet: bool) -> None:
        publisher = self._recorder.log.publisher
        rested = not publisher.news or now_s - self._heard >= PUBLISH_SOON_S
        if quiet and not rested:
            self._rotation.drain(seconds=DRAIN_S)
        elif quiet or now_s - self._stepped >= PUBLISH_LATEST_S:
            publisher.publish(seconds=PUBLISH_SLICE_S)
            if not publisher.news:
                self._stepped = now_s
                self._small_steps()

    def _small_steps(self) -> None:
        log = self._recorder.log
        if self._rotation.due(log.journal, cramped=self._recorder.stores.room.taken_from) and not log.publisher.news:
            header = Header(origin=log.scribe.origin, size=log.size, root=log.root)
            log.journal = self._rotation.turn(log.journal, header, log.publisher)
        self._rotation.drain(seconds=DRAIN_S)
        kept_waiting = self._recorder.verify_kept_receipts()
        carries = self._carrying.step()
        self._refilling = self._recorder.stores.room.refill() or kept_waiting or carries

    def _look(self, now_s: float) -> None:
        recorder = self._recorder
        now = recorder.log.scribe.now()
        recorder.look_at_shelf()
        if recorder.log.scribe.epoch.over(now):
            recorder.log.begin_epoch()
            if recorder.headquarters.seal is not None:
                recorder.seal_canary()
        self._clock_step(now)
        self._room_again()
        self._end_cases(now)
        self._delete()
        if recorder.stores.room.spent:
            self.prune(older_than_s=0)
        elif now_s - self._pruned >= PRUNE_S:
            self._pruned = now_s
            self.prune(older_than_s=SUPERSEDED_S)

    def _reclaim(self) -> None:
        """Records take from the reserve: no superseded tile stays for a pull that may be under way."""
        held = self._recorder.stores.room.held
        if held < self._held:
            self.prune(older_than_s=0)
        self._held = held

    def prune(self, *, older_than_s: float) -> None:
        """Remove superseded tiles; those of the published tree and of the journals' beginnings stay."""
        log = self._recorder.log
        keep = (log.publisher.published, log.journal.first, *self._rotation.first)
        log.publisher.prune(now_s=log.scribe.now().wall_ms / 1_000, keep=keep, older_than_s=older_than_s)

    def _clock_step(self, now: Instant) -> None:
        before, self._clock = self._clock, now
        by_ms = (now.wall_ms - before.wall_ms) - (now.boot_ms - before.boot_ms)
        if abs(by_ms) >= CLOCK_STEP_MS or now.grade is not before.grade:
            self._recorder.log.event("clock_stepped", {"by_ms": str(by_ms), "grade": now.grade.value})

    def _room_again(self) -> None:
        if self._recorder.pictures_refused and self._recorder.stores.room.free_share > self._picture_share * ROOM_AGAIN:
            self._recorder.pictures_refused = False
            self._recorder.log.event("storage_recovered", {"free_percent": self._recorder.free_percent()})

    def _end_cases(self, now: Instant) -> None:
        while (overdue := self._recorder.stores.cases.overdue(now)) is not None:
            self._recorder.log.event("case_expired", {"count": "1"}, Attached(closes=overdue, purpose=Purpose.UPKEEP))

    def _delete(self) -> None:
        """Delete what may go, one entry at a time; nothing new may go before headquarters says something new."""
        bodies, said = self._recorder.stores.bodies, self._recorder.stores.bodies.said
        words = (said.headquarters_ms, said.opened_through, len(said.received_ms))
        if words == self._judged:
            return
        ranges, named = ranges_text(deletable(said, bodies.here & said.received_ms.keys(), hold_ms=self._hold_ms))
        if named:
            self._recorder.log.event("bodies_deleted", {"ranges": ranges, "count": str(len(named))}, UPKEEP)
            self._recorder.log.publisher.publish()
        else:
            self._judged = words
