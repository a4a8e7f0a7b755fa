"""Stage 4 of 8: screen, the booth's side - the verified lists in memory, loaded so that no traveller waits.

The lists on the card are under a list key that the recorder keeps (formats/list_key.py). It is asked for when a list
names a key that is not held here; keys and decrypted persons lie in this process's memory and nowhere else.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from appliance.errors import LandlinkError
from appliance.formats.list_key import KeyNotHere, key_id
from appliance.formats.release import Release
from appliance.formats.rules import DEFAULT_RULES, Rules
from appliance.screen.lists import Lists
from appliance.shelf import Shelf

LOOK_EVERY_S: Final = 1.0
"""How soon a new release is taken up; looking reads one link."""
KEYS_PATIENCE_S: Final = 0.15
"""How long one asking for list keys may take: a booth that starts before its recorder waits no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnHand:
    """The lists in service.

    Attributes:
        release: None when none could be verified. Its sealed persons are left out: opened, they are in `lists`.
        why: Why nothing can be searched, in plain words; "" when something can.
        older_refused: An older release was put in the place of this one, and was not taken.
    """

    lists: Lists
    release: Release | None
    why: str = ""
    older_refused: bool = False

    @property
    def signed_ms(self) -> int:
        """When headquarters signed it, milliseconds since 1970: a proven lower bound of time (I9); 0 without one."""
        return self.release.signed_ms if self.release else 0

    @property
    def dated(self) -> date | None:
        """The day of the oldest list that can be searched; None when none can."""
        days = [day for day in (self.lists.documents.dated, self.lists.persons.dated) if day is not None]
        return min(days, default=None)

    @property
    def rules(self) -> Rules:
        """What hits and findings do: headquarters' rules, or those that every box is delivered with."""
        return self.release.rules if self.release else DEFAULT_RULES


def load(shelf: Shelf, keys: Sequence[bytes]) -> OnHand:
    """Read and verify the release in service; a release that does not hold is no lists, and says why (I5)."""
    try:
        release = shelf.load()
    except LandlinkError as error:
        return _nothing(str(error))
    lists = Lists.from_release(release, keys)
    if isinstance(release.persons, bytes):
        release = replace(release, persons=b"")
    why = "" if lists.documents.dated or lists.persons.dated or not lists.lacking else str(KeyNotHere(b""))
    return OnHand(lists=lists, release=release, why=why)


def _nothing(why: str, *, older_refused: bool = False) -> OnHand:
    return OnHand(lists=Lists.from_release(None, (), why), release=None, why=why, older_refused=older_refused)


class ListsOnHand:
    """Keeps the lists of the newest release in memory; as long as it lives it never goes back to an older one.

    Args:
        shelf: Where the verified release lies.
        ask_keys: Asks the recorder for the list keys; () as long as it does not answer.
    """

    def __init__(self, shelf: Shelf, ask_keys: Callable[[], Sequence[bytes]]) -> None:
        self._shelf = shelf
        self._ask_keys = ask_keys
        self._keys: Sequence[bytes] = tuple(ask_keys())
        self._awaited: frozenset[bytes] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lists", daemon=True)
        self._stamp = shelf.stamp()
        self.current = self._load()
        self._highest = self.current.release.version if self.current.release else 0

    def start(self) -> None:
        """Begin to look for newer releases."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Take up what has been put into service since; what could not be verified is tried again."""
        stamp, version = self._shelf.stamp(), self._shelf.version()
        again = version and (self.current.release is None or self._has_come(self._awaited))
        if stamp == self._stamp and not again:
            return
        self._stamp = stamp
        if 0 < version < self._highest:
            self.current = self._instead_of_older()
            return
        found = self._load()
        if found.release is not None and found.release.version < self._highest:  # the link was turned meanwhile
            self.current = self._instead_of_older()
            return
        if found.lists.lacking and self.current.release is not None and not self.current.lists.lacking:
            return  # the recorder is away for a moment: what is loaded serves until the key is here
        self.current = found
        if found.release is not None:
            self._highest = found.release.version

    def _instead_of_older(self) -> OnHand:
        """What is in service while an older release lies there: the one in memory, else none.

        Headquarters never goes back, so somebody on this box did.
        """
        if self.current.older_refused:
            return self.current
        if self.current.release is None:
            return _nothing("the release on this box is older than the one before it", older_refused=True)
        return replace(self.current, older_refused=True)

    def _load(self) -> OnHand:
        found = load(self._shelf, self._keys)
        if self._has_come(found.lists.lacking):
            found = load(self._shelf, self._keys)
        self._awaited = found.lists.lacking
        return found

    def _has_come(self, wanted: frozenset[bytes]) -> bool:
        """Ask for the list keys if any is wanted; whether one of those is here now. None that is held is given up."""
        if wanted:
            self._keys = tuple(self._ask_keys()) or self._keys
        return any(key_id(key) in wanted for key in self._keys)
