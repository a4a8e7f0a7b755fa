"""Headquarters' list keys in `hq/keys/`, 32 bytes each: the one that lists are published under, and those before it.

```
list-key        the one in use; its age is the file's       list-key.1, .2 ...   former ones, the oldest first
list-key.next   on its way to the boxes: a `rekey` that was interrupted goes on with it
```
Whoever has one of them and a box's card reads the lists of its time, so they are kept as the signing keys are.
"""

from typing import Final

from appliance.errors import ConfigError
from appliance.files import OpenFile
from appliance.formats.downlink import ListKey
from appliance.formats.list_key import key_id, sealed_key_id
from appliance.formats.pages import PageFile
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET
from provisioning.authority.downlink import Down
from provisioning.authority.holders import absent
from provisioning.authority.home import Home
from provisioning.authority.keys import following_secret, former_secrets, load_secret, succeed
from provisioning.authority.repository import Repository
from provisioning.authority.roster import read_roster

LIFE_DAYS: Final = 365
"""An older key ends at the next publication."""
_DAY_S: Final = 86_400


def list_key(home: Home) -> bytes:
    """The key that lists are published under. Raises ConfigError when it is missing or none."""
    return load_secret(home.list_key_file)


def list_key_days(home: Home, *, at_ms: int) -> int:
    """How old it is. Raises ConfigError."""
    try:
        made_s = home.list_key_file.stat().st_mtime
    except FileNotFoundError:
        raise absent(home.list_key_file) from None
    except OSError as error:
        raise ConfigError(f"{home.list_key_file}: {error.strerror}") from None
    return int(at_ms / 1000 - made_s) // _DAY_S


def list_keys(home: Home) -> tuple[bytes, ...]:
    """Every list key, the newest first. Raises ConfigError."""
    return list_key(home), *(load_secret(path) for path in reversed(former_secrets(home.list_key_file)))


def keys_in_use(home: Home) -> tuple[bytes, ...]:
    """What a box needs that joins now, the newest last: the list key, and the one before while lists are under it.

    Raises:
        ConfigError, Malformed, StorageFault: Keys or published lists cannot be read.
    """
    repository, named = Repository(home.folder), set[bytes]()
    if place := repository.place(DOCUMENTS_TARGET):
        named.add(PageFile(OpenFile(place)).key_id)
    if persons := repository.target(PERSONS_TARGET):
        named.add(sealed_key_id(persons))
    newest, *former = list_keys(home)
    return *(key for key in reversed(former) if key_id(key) in named), newest


def rekey(home: Home, *, at_ms: int) -> tuple[str, ...]:
    """Begin a new list key and send it to every box that is not revoked; the next publication is under it.

    The key is durable before any box is told, and in use when all of them are: whoever does it again after an
    interruption goes on with the same key, and a box that is told twice takes no harm.

    Returns:
        Serials of the boxes that were told.

    Raises:
        ConfigError: A key of headquarters is not here.
        StorageFull, StorageFault: The key in use is what it was; do it again.
    """
    message = ListKey(key=following_secret(home.list_key_file))
    boxes = tuple(box for box in read_roster(home).boxes if not box.revoked)
    for box in boxes:
        down = Down(home, box)
        with down.alone():
            down.say(message, at_ms=at_ms)
    succeed(home.list_key_file)
    return tuple(box.serial for box in boxes)
