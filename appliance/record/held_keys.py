"""Stage 6 of 8: record - keys that headquarters has sent to this box: those of its lists, and that of its voice codes.

They lie in one file, sealed as the box's other keys are, that only the recorder reads, replaced whole and durably,
before the entry that says that they were taken. Booth and releases ask for the list keys; the voice key never leaves
the recorder.
"""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from appliance.at_rest import OPEN, AtRest
from appliance.errors import Malformed, Untrusted
from appliance.formats.cbor import pack, parse
from appliance.formats.downlink import ListKey, VoiceKey
from appliance.formats.fields import Count
from appliance.formats.wire import LIST_KEYS_MAX
from appliance.model import Digest, Noun

HELD_BYTES_MAX: Final = 4_096


class HeldKey(Noun, frozen=True, kw_only=True):
    """A key, and the counter of the message that brought it: a later counter is a newer key, whenever it comes."""

    counter: Count
    key: Digest


class Held(Noun, frozen=True, kw_only=True):
    """What the file holds: list keys, the newest first, and the voice key."""

    lists: Annotated[tuple[HeldKey, ...], Meta(max_length=LIST_KEYS_MAX)] = ()
    voice: HeldKey | None = None


class HeldKeys:
    """Keys of headquarters on this box.

    Args:
        path: The file. One that is missing or does not hold counts as empty: the box records without these keys, says
            that it cannot check its lists, and headquarters sends them anew.
        at_rest: How they lie in it.
    """

    def __init__(self, path: Path, at_rest: AtRest = OPEN) -> None:
        self._path = path
        self._at_rest = at_rest
        try:
            self._held: Held = parse(
                at_rest.read(path, HELD_BYTES_MAX), Held, what="held keys", bytes_max=HELD_BYTES_MAX
            )
        except (OSError, Malformed, Untrusted):
            self._held = Held()

    @property
    def lists(self) -> tuple[bytes, ...]:
        """List keys, the newest first."""
        return tuple(held.key for held in self._held.lists)

    @property
    def voice(self) -> bytes | None:
        """The voice key, None until it has come."""
        return None if self._held.voice is None else self._held.voice.key

    def take(self, message: ListKey | VoiceKey, counter: int) -> bool:
        """Keep a key, durably; whether it is kept (an older one than those that are held is not).

        Raises:
            StorageFull, StorageFault: It is not kept.
        """
        new = HeldKey(counter=counter, key=message.key)
        match message:
            case ListKey():
                rest = (held for held in self._held.lists if held.key != new.key)
                lists = sorted((new, *rest), key=lambda held: held.counter, reverse=True)[:LIST_KEYS_MAX]
                held = Held(lists=tuple(lists), voice=self._held.voice)
                kept = new in lists
            case VoiceKey():
                kept = self._held.voice is None or self._held.voice.counter <= counter
                held = Held(lists=self._held.lists, voice=new if kept else self._held.voice)
        if held != self._held:
            self._at_rest.write(self._path, pack(held))
            self._held = held
        return kept
