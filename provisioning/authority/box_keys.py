"""The keys that headquarters gives to one box: of its lists, and of its voice codes."""

import hashlib
from pathlib import Path

from appliance.errors import Refused
from appliance.formats.downlink import ListKey, VoiceKey
from appliance.formats.release import RosterBox
from appliance.formats.voice import KEY_BYTES
from provisioning.authority.downlink import Down
from provisioning.authority.home import Home
from provisioning.authority.keys import following_secret, former_secrets, load_secret, succeed
from provisioning.authority.list_keys import keys_in_use
from provisioning.authority.roster import read_roster


def voice_key(home: Home, box: str, *, former: int = 0) -> bytes:
    """The key of a box's voice codes.

    Args:
        home: Headquarters, whose master secret it follows from.
        box: The box's name, `domain/serial` in lower case.
        former: By the master secret that was in use so many before the present one.

    Raises:
        ConfigError: The master secret is not here.
        Refused: There were not so many.
    """
    masters = [home.voice_master_file, *reversed(former_secrets(home.voice_master_file))]
    if former >= len(masters):
        raise Refused(f"there were {len(masters) - 1} former masters of voice codes, and not {former}")
    return _voice_key(load_secret(masters[former]), box)


def rotate_voice(home: Home, *, at_ms: int) -> tuple[str, ...]:
    """Begin a new master of voice codes, and send its key to every box that is not revoked; their serials.

    The master is durable before any box is told, and in use when all of them are; done again after an interruption, it
    goes on with the same one. A box hears codes by the newest key that has reached it.

    Raises:
        ConfigError: A key of headquarters is not here.
        StorageFull, StorageFault: The master in use is what it was; do it again.
    """
    load_secret(home.voice_master_file)
    master = following_secret(home.voice_master_file)
    boxes = tuple(box for box in read_roster(home).boxes if not box.revoked)
    for box in boxes:
        down = Down(home, box)
        with down.alone():
            down.say(VoiceKey(key=_voice_key(master, down.name)), at_ms=at_ms)
    succeed(home.voice_master_file)
    return tuple(box.serial for box in boxes)


def _voice_key(master: bytes, box: str) -> bytes:
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
