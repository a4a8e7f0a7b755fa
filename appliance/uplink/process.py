"""Stage 8 of 8: deliver - the uplink's process.

Three threads. The main one delivers (log, bodies, receipts to the recorder) and fetches what headquarters says to this
box; the second keeps the mirror of what it publishes, which may have gigabytes; each has its own link and its own
patience. The third reads what people carry (the answer folder's messages, a stick). The main one looks at the card
every POLL_S, between two requests, so that the page says what is not sent yet, at most one request late. The process
may end anywhere.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

from appliance.errors import Malformed, StorageFault, StorageFull, Untrusted, UplinkFault
from appliance.model import Origin
from appliance.notify import ALIVE, READY, notify
from appliance.uplink.backoff import FIRST_S, Backoff
from appliance.uplink.carried import Carried
from appliance.uplink.contact import Contact, Party
from appliance.uplink.courier import Courier
from appliance.uplink.fetching import Fetching
from appliance.uplink.mirror import Mirror, RepositoryFault
from appliance.uplink.published import Head, PublishedLog

POLL_S: Final = 0.25
REFRESH_S: Final = 10.0
LOOK_S: Final = 2.0
NO_ROOM_S: Final = 60.0

_journal = logging.getLogger("landlink.uplink")


class Delivery:
    """The main thread's loop.

    Args:
        log: What the recorder publishes.
        courier_of: Makes the courier of an origin; a recorder that lost its log opens another.
        fetching: Asks for messages to this box.
        contact: Tells the page.
        backoff: Patience with the link.
    """

    def __init__(
        self,
        log: PublishedLog,
        courier_of: Callable[[Origin], Courier],
        fetching: Fetching,
        contact: Contact,
        backoff: Backoff,
    ) -> None:
        self._log = log
        self._fetching = fetching
        self._fetch_at_s = 0.0
        self._courier_of = courier_of
        self._courier: Courier | None = None
        self._contact = contact
        self._backoff = backoff
        self._wait_until_s = 0.0
        self._look_at_s = 0.0
        self._contacts = 0
        self._alarm = ""

    def run(self, *companions: threading.Thread) -> NoReturn:
        """Deliver until the process is told to end.

        Args:
            companions: The other threads; one process does it all or nothing.

        Raises:
            StorageFault, StorageFull: The card; the supervisor starts the process again.
        """
        notify(READY)
        while True:
            for companion in companions:
                if not companion.is_alive():
                    raise StorageFault(f"{companion.name} has ended; the journal says why")
            notify(ALIVE)
            if not self._turn():
                time.sleep(POLL_S)

    def _turn(self) -> bool:
        """Look, try, tell; whether there is more to send at once."""
        head = self._head()
        if head is not None:
            self._serve(head.checkpoint.origin)
        if self._courier is None or head is None:
            self._contact.tell(not_sent=0, parked=0, alarm=self._alarm)
            return False
        if time.monotonic() >= self._look_at_s:
            self._courier.look(head)
            self._look_at_s = time.monotonic() + POLL_S
        self._tell(self._courier)
        more = self._due() and self._try(self._courier, head)
        self._tell(self._courier)
        return more

    def _tell(self, courier: Courier) -> None:
        counts = courier.counts()
        if courier.headquarters_ms:
            self._contact.signed(courier.headquarters_ms)
        self._contact.tell(
            not_sent=counts.waiting + counts.parked, parked=counts.parked, alarm=self._alarm or courier.alarm
        )

    def _head(self) -> Head | None:
        try:
            head = self._log.head()
        except (StorageFault, Malformed, Untrusted) as error:
            if not self._alarm:
                _journal.error("uplink: the published log cannot be read: %s", error)
            self._alarm = f"the published log cannot be read: {error}"
            return None
        self._alarm = ""
        return head

    def _serve(self, origin: str) -> None:
        if self._courier is not None and self._courier.origin == origin:
            return
        if self._courier is not None:
            self._courier.close()
            self._courier = None
        self._courier = self._courier_of(Origin(origin))

    def _due(self) -> bool:
        """Whether the wait is over, or the other thread has reached headquarters meanwhile."""
        return time.monotonic() >= self._wait_until_s or self._contact.made_count != self._contacts

    def _try(self, courier: Courier, head: Head) -> bool:
        try:
            more = courier.send(head)
            asked = self._fetch()
        except UplinkFault as fault:
            self._contact.lost(Party.DELIVERY, str(fault))
            self._contacts = self._contact.made_count
            self._wait_until_s = time.monotonic() + self._backoff.failed()
            if self._backoff.failures == 1:
                _journal.info("uplink: waiting for headquarters: %s", fault)
            return False
        finally:
            self._backoff.spread(courier.spread_s)
        if more or asked:
            self._contact.made(Party.DELIVERY)
            self._backoff.succeeded()
        else:
            self._contact.idle(Party.DELIVERY)
        return more

    def _fetch(self) -> bool:
        """Fetch messages to this box, at most every REFRESH_S; whether headquarters was asked. Raises UplinkFault."""
        if time.monotonic() < self._fetch_at_s:
            return False
        asked = self._fetching.turn()
        self._fetch_at_s = time.monotonic() + REFRESH_S
        return asked


def keep_mirror(mirror: Mirror, contact: Contact, backoff: Backoff) -> None:
    """The second thread's loop: copy what headquarters publishes every REFRESH_S; returns when the card fails."""
    trouble = ""
    while True:
        said, wait_s, lost = "", REFRESH_S, False
        try:
            mirror.refresh()
            contact.made(Party.MIRROR)
            backoff.succeeded()
        except RepositoryFault as fault:
            contact.made(Party.MIRROR)  # headquarters was reached
            said = str(fault)
        except UplinkFault as fault:
            contact.lost(Party.MIRROR, str(fault))
            wait_s, lost = backoff.failed(), True
        except StorageFull as error:
            said, wait_s = str(error), NO_ROOM_S
        except StorageFault as error:
            _journal.error("uplink: the mirror: %s", error)
            return
        if said and said != trouble:
            _journal.warning("uplink: the mirror stays as it is: %s", said)
        trouble = said
        if lost:
            time.sleep(FIRST_S[1])
            contact.wait_made(wait_s)
        else:
            time.sleep(wait_s)


def keep_carried(carried: Carried) -> None:
    """The third thread's loop: what people carry to the box, every LOOK_S; returns when the card fails."""
    while True:
        try:
            carried.look()
        except StorageFull as error:
            _journal.warning("uplink: what was carried here waits: %s", error)
            time.sleep(NO_ROOM_S)
        except StorageFault as error:
            _journal.error("uplink: what was carried here: %s", error)
            return
        time.sleep(LOOK_S)
