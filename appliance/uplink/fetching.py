"""Messages over the link: what the collector lists and this box has not had is fetched, and brought to the recorder."""

import hashlib
import logging
import time
from typing import Final

from appliance.errors import Malformed, UplinkFault
from appliance.formats.downlink import SEALED_BYTES_MAX, Waiting, parse_waiting
from appliance.uplink.handover import Fate
from appliance.uplink.messages import Messages
from appliance.uplink.mirror import Source

DOWN: Final = "/v1/down"
FETCH_MAX: Final = 16
"""Messages in one turn, so that records go out in between."""
HELD_MAX: Final = 64
"""Messages that were fetched and that the recorder cannot take yet."""
REFUSED_MAX: Final = 24
REST_S: Final = 300.0
"""After so many messages that do not hold the collector is left alone for so long: it may have nothing else, and the
link is for records. A few of them hold up nothing."""
LIST_BYTES_MAX: Final = 32_768

_journal = logging.getLogger("landlink.uplink")


class Fetching:
    """One thread's way to the collector's messages.

    Args:
        link: Shared with the delivery, in one thread.
        messages: Brings what was fetched.
    """

    def __init__(self, link: Source, messages: Messages) -> None:
        self._link = link
        self._messages = messages
        self._entity_tag = ""
        self._listed: tuple[Waiting, ...] = ()
        self._held: dict[bytes, bytes] = {}
        self._refused = 0
        self._rest_until_s = 0.0

    def turn(self) -> bool:
        """Ask what there is, fetch what is new, bring what was fetched; whether headquarters was asked.

        Raises:
            UplinkFault: The link, or an answer that is none.
            StorageFull, StorageFault: As `Messages.bring`.
        """
        if time.monotonic() < self._rest_until_s:
            return False
        self._ask()
        new = [waiting for waiting in self._listed if not self._messages.settled(waiting.sha256)]
        self._held = {waiting.sha256: self._held[waiting.sha256] for waiting in new if waiting.sha256 in self._held}
        lacking = [waiting for waiting in new if waiting.sha256 not in self._held]
        for waiting in lacking[: min(FETCH_MAX, HELD_MAX - len(self._held))]:
            sealed = self._fetch(waiting)
            if sealed is None:
                _journal.warning("uplink: headquarters does not give message %s as it lists it", waiting.name)
                self._entity_tag = ""
                self._refused += 1
                break
            self._held[waiting.sha256] = sealed
        for waiting in new:
            sealed = self._held.get(waiting.sha256)
            if sealed is not None and self._messages.bring(sealed, waiting.name) is Fate.REFUSED:
                self._refused += 1
        if self._refused >= REFUSED_MAX:
            self._rest(f"{self._refused} messages did not hold")
        return True

    def _ask(self) -> None:
        tag = {"If-None-Match": self._entity_tag} if self._entity_tag else {}
        answer = self._link.request("GET", DOWN, headers=tag, answer_bytes_max=LIST_BYTES_MAX)
        match answer.status:
            case 200:
                try:
                    self._listed = parse_waiting(answer.body).messages
                except Malformed as error:
                    self._rest(f"headquarters' list of messages cannot be read: {error}")
                    return
                self._entity_tag = answer.entity_tag
            case 304 | 404:  # nothing new; a collector that has no messages
                pass
            case _:
                raise UplinkFault(f"headquarters answers {answer.status}: {answer.words}")

    def _fetch(self, waiting: Waiting) -> bytes | None:
        """The message, None when what comes is not what was listed."""
        answer = self._link.request("GET", f"{DOWN}/{waiting.name}", answer_bytes_max=SEALED_BYTES_MAX)
        arrived = answer.status == 200 and hashlib.sha256(answer.body).digest() == waiting.sha256
        return answer.body if arrived else None

    def _rest(self, why: str) -> None:
        _journal.warning("uplink: headquarters is asked for messages again in %.0f s: %s", REST_S, why)
        self._entity_tag, self._refused = "", 0
        self._rest_until_s = time.monotonic() + REST_S
