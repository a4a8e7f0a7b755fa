"""One origin's way to headquarters: the log first, then bodies, then receipts to the recorder."""

from appliance.model import Origin
from appliance.uplink.bodies import Bodies
from appliance.uplink.body_delivery import BodyDelivery
from appliance.uplink.collector import Collector
from appliance.uplink.handover import Handover
from appliance.uplink.index import Counts, Index
from appliance.uplink.log_delivery import LogDelivery
from appliance.uplink.published import Head, PublishedLog


class Courier:
    """Delivers one origin's log and bodies.

    Args:
        origin: Of everything that is delivered.
        collector: Speaks of the same origin.
        index: Of the same origin; closed by `close`.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        log: PublishedLog,
        bodies: Bodies,
        index: Index,
        collector: Collector,
        handover: Handover,
    ) -> None:
        self.origin = origin
        self._index = index
        self._collector = collector
        self._handover = handover
        self._logs = LogDelivery(log, collector, handover)
        self._bodies = BodyDelivery(origin, bodies, index, collector)

    @property
    def alarm(self) -> str:
        """Why headquarters does not take the log; "" when it does."""
        return self._logs.alarm

    @property
    def spread_s(self) -> float:
        """Seconds over which the server wants reconnecting boxes to spread."""
        return self._collector.spread_s

    @property
    def headquarters_ms(self) -> int:
        """The last time that a receipt claims, milliseconds since 1970; 0 before the first."""
        return self._bodies.headquarters_ms

    def counts(self) -> Counts:
        """How many bodies stand where."""
        return self._index.counts()

    def look(self, head: Head) -> None:
        """Without the link: take in what the recorder published, hand over what headquarters said."""
        self._bodies.notice(below=head.checkpoint.size)
        self._handover.pass_on(self._index)

    def send(self, head: Head) -> bool:
        """One exchange with headquarters; False when there is nothing to send. Raises UplinkFault."""
        if self._logs.step(head):
            if self._index.rebuilt and self._logs.have is not None:
                self._bodies.recover(self._logs.have)
            return True
        try:
            return self._bodies.step(below=self._logs.mirrored)
        finally:
            if self._bodies.behind:
                self._bodies.behind = False
                self._logs.ask_again()

    def close(self) -> None:
        """Let go of connection and index."""
        self._collector.close()
        self._index.close()
