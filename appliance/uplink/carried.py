"""What people carry to the box: messages of the answer folder in `state/down`, and a stick with messages and a release.

Messages go first: among them may be the key of the lists that follow. A release is taken when its timestamp.json is of
a later version than the mirror's. A stick that is pulled out half-way leaves a mirror that is whole; put in again, it
goes on where it was.
"""

import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.errors import Malformed, StorageFault, StorageFull, Untrusted, UplinkFault
from appliance.files import read_regular
from appliance.formats.downlink import FOLDER
from appliance.formats.note import parse_vkey
from appliance.formats.tuf_chain import ROOT_BYTES_MAX, TIMESTAMP_BYTES_MAX
from appliance.formats.wire import StickSeen
from appliance.uplink.contact import Contact
from appliance.uplink.handover import Fate
from appliance.uplink.messages import Messages
from appliance.uplink.mirror import TIMESTAMP, Mirror, RepositoryFault
from appliance.uplink.stick import Stick, cosigned_on, is_newer, sealed_messages, timestamp_on

Lists = Literal["none", "known", "taken", "refused"]
WAY: Final = ".stick"
UNREADABLE_REST_S: Final = 30.0
VKEY_BYTES_MAX: Final = 1_024
_journal = logging.getLogger("landlink.uplink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look.

    Attributes:
        state: The box's durable folder.
        stick: Where a stick is mounted while there is one.
        serial: This box; it has a folder of its own on a stick.
    """

    state: Path
    stick: Path
    serial: str


class Carried:
    """Looks again and again; one thread's.

    Args:
        places: Where.
        messages: Brings what is found to the recorder.
        contact: Is told what became of a stick.
    """

    def __init__(self, places: Places, messages: Messages, contact: Contact) -> None:
        self._places = places
        self._messages = messages
        self._contact = contact
        self._cosigned: bytes | None = None
        self._judged: bytes | None = None
        self._words = ""
        self._rest_until_s = 0.0

    def look(self) -> None:
        """Bring what is new.

        Raises:
            StorageFull, StorageFault: This box's card; a stick that cannot be read is no more than that.
        """
        self._bring(self._places.state, FOLDER)
        stick = self._places.stick
        brought = self._bring(stick, f"{FOLDER}/{self._places.serial}")
        if brought:
            self._say(f"{brought} messages handed over")
        self._bring_cosigned(stick)
        timestamp = timestamp_on(stick)
        lists: Lists = "none"
        if timestamp is None:
            self._judged = None  # it was pulled out, or carries no lists
        elif timestamp != self._judged and time.monotonic() >= self._rest_until_s:
            self._judged = timestamp
            lists = self._take(stick, timestamp)
        news = brought or lists != "none"
        self._messages.stick(StickSeen(messages=brought, lists=lists) if news else None)

    def _bring(self, folder: Path, name: str) -> int:
        """Bring the messages in a folder; how many the recorder took now."""
        taken = 0
        for each, sealed in sealed_messages(folder, name):
            if not self._messages.settled(hashlib.sha256(sealed).digest()):
                taken += self._messages.bring(sealed, each) is Fate.TAKEN
        return taken

    def _bring_cosigned(self, stick: Path) -> None:
        """Bring the cosigned checkpoint of the log that this box appends to now, once; the recorder judges it."""
        vkey = _read(self._places.state / "log.vkey", VKEY_BYTES_MAX)
        try:
            origin = "" if vkey is None else parse_vkey(vkey.decode("ascii", "replace").strip()).name
        except Malformed:  # whoever delivers the log says so
            return
        note = cosigned_on(stick, origin) if origin else None
        if note is None or note == self._cosigned:
            return
        fate, words = self._messages.cosigned(note)
        if fate is Fate.LATER:
            return
        self._cosigned = note
        self._say("its cosigned checkpoint is kept" if fate is Fate.TAKEN else f"its checkpoint is refused: {words}")

    def _take(self, folder: Path, timestamp: bytes) -> Lists:
        """Copy the release of a stick into the mirror, if it is a later one than lies there; what became of it."""
        mirror, uplink = self._places.state / "mirror", self._places.state / "uplink"
        try:
            if not is_newer(timestamp, _read(mirror / TIMESTAMP, TIMESTAMP_BYTES_MAX)):
                self._say("its lists are no newer than what this box has")
                return "known"
            root = _read(uplink / "1.root.json", ROOT_BYTES_MAX)
            if root is None:
                self._say("its lists cannot be verified: let the box accept headquarters' answer again")
                return "refused"
            stick = Stick(folder, root)
            self._say(f"copying release {stick.version}: leave the stick in")
            Mirror(stick, mirror, WAY).refresh()
            self._say(f"release {stick.version} is copied; the stick may be pulled out")
        except (Malformed, Untrusted) as error:
            self._say(f"its lists are refused: {error}")
        except RepositoryFault as error:
            if timestamp_on(folder) is None:
                self._say("it was pulled out before its lists were copied: put it in again")
            else:
                self._say(f"its lists are not whole: {error}")
        except UplinkFault as error:
            self._say(f"its lists were not copied: {error}")
            self._judged, self._rest_until_s = None, time.monotonic() + UNREADABLE_REST_S
            return "none"  # not yet: it is tried again
        except StorageFull:
            self._judged = None  # once more when there is room
            raise
        else:
            return "taken"
        return "refused"

    def _say(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._contact.stick(words)
            _journal.info("uplink: stick: %s", words)


def _read(path: Path, bytes_max: int) -> bytes | None:
    try:
        return read_regular(path, bytes_max)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"{path.name}: {error.strerror}") from error
