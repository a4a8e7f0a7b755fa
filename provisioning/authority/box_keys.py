"""The keys that headquarters gives to one box: of its lists, and of its voice codes."""

import hashlib
from pathlib import Path

from appliance.formats.downlink import ListKey, VoiceKey
from appliance.formats.release import RosterBox
from appliance.formats.voice import KEY_BYTES
from provisioning.authority.downlink import Down
from provisioning.authority.home import Home
from provisioning.authority.keys import load_secret
from provisioning.authority.list_keys import keys_in_use


def voice_key(home: Home, box: str) -> bytes:
    """The key of a box's voice codes.

    Args:
        home: Headquarters, whose master secret it follows from.
        box: The box's name, `domain/serial` in lower case.

    Raises:
        ConfigError: The master secret is not here.
    """
    master = load_secret(home.voice_master_file)
    return hashlib.blake2b(box.encode("ascii"), key=master, digest_size=KEY_BYTES).digest()


def send_keys(home: Home, box: RosterBox, *, at_ms: int) -> tuple[Path, ...]:
    """Send a box that joins, or joins again, what it needs to read lists and to hear voice codes; the sealed files.

    Raises:
        ConfigError: A key of headquarters is not here.
        StorageFull, StorageFault: Not all was sent; the box asks again.
    """
    down = Down(home, box)
    messages: tuple[ListKey | VoiceKey, ...] = (
        *(ListKey(key=key) for key in keys_in_use(home)),
        VoiceKey(key=voice_key(home, down.name)),
    )
    with down.alone():
        return tuple(down.say(message, at_ms=at_ms) for message in messages)
