"""The log goes first: headquarters takes a body only when it has the statement that names it.

The collector's copy of the log decides where to go on. A log that headquarters does not take (rolled back, forked, a
statement that does not verify) raises an alarm and is offered again only when its head changes or OFFER_AGAIN_S has
passed; bodies whose statements headquarters has go on.
"""

import logging
import time
from typing import Final

from appliance.errors import Malformed, StorageFault, UplinkFault
from appliance.formats.upload import Have
from appliance.uplink.collector import Collector, Cosigned, Elsewhere, LogRefused, Taken
from appliance.uplink.handover import Handover
from appliance.uplink.published import Head, PublishedLog

PART_BYTES_MAX: Final = 262_144
PART_S_MAX: Final = 8.0
OFFER_AGAIN_S: Final = 60.0

_journal = logging.getLogger("landlink.uplink")


class LogDelivery:
    """Brings headquarters' copy of the log up to the published head.

    Attributes:
        have: What headquarters has, as it last said; None before the first contact.
        mirrored: Leaves that headquarters has.
        alarm: Why the log does not reach headquarters; "" when it does.
    """

    def __init__(self, log: PublishedLog, collector: Collector, handover: Handover) -> None:
        self._log = log
        self._collector = collector
        self._handover = handover
        self._offered = b""
        self._offered_s = 0.0
        self._astray = 0
        self.have: Have | None = None
        self.mirrored = 0
        self.alarm = ""

    def ask_again(self) -> None:
        """What headquarters has may have changed: ask before the next part."""
        self.have = None

    def step(self, head: Head) -> bool:
        """One exchange with headquarters; False when there is nothing to send.

        Raises:
            UplinkFault: The link or the collector does not do its part.
        """
        if self.have is None:
            self.have = self._collector.have()
            self.mirrored = self.have.size
            if self.have.checkpoint:
                self._handover.keep(self.have.checkpoint)
            return True
        if head.note == self._offered and (not self.alarm or time.monotonic() - self._offered_s < OFFER_AGAIN_S):
            return False
        self._offer(head)
        return True

    def _offer(self, head: Head) -> None:
        start = min(self.mirrored, head.checkpoint.size)
        bytes_max = int(min(PART_BYTES_MAX, PART_S_MAX * self._collector.rate_bytes_per_s))
        try:
            part = self._log.part(head, start, bytes_max=bytes_max)
        except (StorageFault, Malformed) as error:
            self._settle(head, f"this box cannot read it: {error}")
            return
        answer = self._collector.send_log(part)
        self._astray = self._astray + 1 if isinstance(answer, Elsewhere) else 0
        match answer:
            case Cosigned():
                self.mirrored = head.checkpoint.size
                self._handover.keep(answer.note)
                self._settle(head, "")
            case Taken():
                self.mirrored = answer.size
            case Elsewhere():
                self.have = None
                if self._astray > 2:  # another process delivers this log: both would go on for ever
                    raise UplinkFault("headquarters' copy of the log changes while it is sent")
            case LogRefused():
                self._settle(head, answer.why)

    def _settle(self, head: Head, alarm: str) -> None:
        if alarm and alarm != self.alarm:
            _journal.error("uplink: the log does not reach headquarters: %s", alarm)
        self.alarm = alarm
        self._offered = head.note
        self._offered_s = time.monotonic()
