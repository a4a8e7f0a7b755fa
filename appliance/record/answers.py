"""Stage 6 of 8: record - headquarters' word on open cases: written answers that wait, and codes by telephone (I10).

Both are told to the booth, and neither is believed of it: a case moves on them because the recorder holds them
(case_change.py).
"""

from typing import Final

from appliance.errors import Malformed
from appliance.formats.cbor import pack
from appliance.formats.voice import heard_verdict
from appliance.formats.wire import INBOX_MAX, MESSAGE_BYTES_MAX, Answered, Inboxed, Voice, Voiced
from appliance.inquiry.moves import ANSWERABLE
from appliance.record.held_keys import HeldKeys
from appliance.record.intake import RefusedWith
from appliance.record.log import Attached, Log
from appliance.record.open_case import WRONG_CODES_MAX
from appliance.record.stores import Stores

INBOX_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 1_024
NO_KEY: Final = "The key of spoken codes has not reached this box yet. Wait for the written answer."
LOCKED: Final = "Five codes were wrong. No code is heard for ten minutes; the written answer counts at any time."


class Answers:
    """What headquarters says of this box's open cases."""

    def __init__(self, log: Log, stores: Stores, keys: HeldKeys) -> None:
        self._log = log
        self._stores = stores
        self._keys = keys

    def inbox(self) -> Inboxed:
        """Answers to open cases that are not yet in their life, oldest first, as many as one reply holds."""
        waiting = sorted(
            (answer for each in self._stores.cases.all() for answer in each.answers), key=lambda answer: answer.at_ms
        )
        fitting: list[Answered] = []
        size = 0
        for answer in waiting[:INBOX_MAX]:
            size += len(pack(answer))
            if size > INBOX_BYTES_MAX:
                break
            fitting.append(answer)
        return Inboxed(answers=tuple(fitting))

    def voice(self, request: Voice) -> Voiced:
        """Hear a code that was read out over a telephone; right or wrong is an entry, so that no restart forgets it.

        The same right one again is none.

        Raises:
            RefusedWith: `wrong_code`; `locked` from the last wrong one on; `not_ready` without the key of codes.
            Malformed: Nobody was asked about this case, or the code was misheard: that counts for nothing.
            StorageFull, StorageFault: As `Log.append`; the code was not heard.
        """
        found = self._stores.cases.find(request.of)
        if found is None or found.case.asked is None or found.case.stage not in ANSWERABLE:
            raise Malformed("code", "headquarters has not been asked about this case")
        if self._keys.voice is None:
            raise RefusedWith("not_ready", NO_KEY)
        now = self._log.scribe.now()
        if found.locked_ms(now):
            raise RefusedWith("locked", LOCKED)
        verdict = heard_verdict(self._keys.voice, box=self._log.scribe.box, of=request.of, code=request.code)
        if verdict is not None and verdict is found.voiced:
            return Voiced(verdict=verdict)
        after = found.heard(verdict, now)
        attached = Attached(updates=(after, self._stores.cases.reseal(after)))
        self._log.event("voice_code_heard", {"held": "no" if verdict is None else "yes"}, attached)
        if verdict is not None:
            return Voiced(verdict=verdict)
        if after.locked is not None:
            raise RefusedWith("locked", LOCKED)
        left = WRONG_CODES_MAX - after.wrong
        raise RefusedWith("wrong_code", f"Not the code for this case. {left} more, then a wait of ten minutes.")
