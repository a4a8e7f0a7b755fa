"""`distribute`: the keys that need 2 of 3 leave headquarters' machine for the media of three persons.

Each person's medium gets one root key and one offline key; in `keys/` a link to its place stays. So a verb that needs
two of them works while two persons have their media in, each at the place where it was, and no key is ever copied back:
one person alone signs nothing.
"""

import hmac
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.errors import Misuse, NoInput, Refused
from appliance.files import open_beneath, storage, sync_folder, write_durably
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from provisioning.authority.roles import OFFLINE_KEYS, ROOT_KEYS

HOLDERS: Final = len(ROOT_KEYS)
KEY_BYTES_MAX: Final = 16_384


def distribute(home: Home, media: Sequence[Path]) -> dict[Path, tuple[str, ...]]:
    """Move root-n and offline-n to the n-th medium; a key that has moved there already is left as it is.

    A key is removed here only when its copy is durable and was read again; an interruption leaves it in both places,
    and whoever does it again goes on.

    Args:
        home: Headquarters.
        media: Folders of three mounted media, which are at these places whenever they are brought.

    Returns:
        Names of keys by medium.

    Raises:
        NoInput: A folder is not there.
        ConfigError: A key is neither here nor on its medium.
        Misuse: Not three different folders.
        Refused: One is inside the home, or has something else of that name: another key, a link, a pipe.
        StorageFull, StorageFault: Not all were moved.
    """
    places = [_checked(home, medium) for medium in media]
    if len(set(places)) != HOLDERS:
        raise Misuse(f"name {HOLDERS} different folders, one a person")
    moved: dict[Path, tuple[str, ...]] = {}
    for place, *names in zip(places, ROOT_KEYS, OFFLINE_KEYS, strict=True):
        for name in names:
            _move(home.key(name), place / f"{name}.pem")
        moved[place] = tuple(names)
    return moved


def same_disk(home: Home, media: Sequence[Path]) -> list[Path]:
    """Media that are on the disk of the home, so that whoever has that disk has them too."""
    return [medium for medium in media if medium.stat().st_dev == home.folder.stat().st_dev]


def _checked(home: Home, medium: Path) -> Path:
    place = medium.resolve()
    if not place.is_dir():
        raise NoInput(f"{medium} is not there; mount the medium first")
    if place.is_relative_to(home.folder.resolve()):
        raise Refused(f"{medium} is inside {home.folder}: it would stay on this machine")
    return place


def _move(key: Path, place: Path) -> None:
    if key.is_symlink():
        if key.readlink() != place:
            raise Refused(f"{key.name} was moved to {key.readlink().parent} before")
        load_ed25519(key)
        return
    load_ed25519(key)  # what is moved is a key
    content = key.read_bytes()
    if not place.exists() and not place.is_symlink():
        write_durably(place, content, mode=0o600)
    if not hmac.compare_digest(_read_again(place), content):
        raise Refused(f"{place} is another key; take a medium without one")
    _link(key, place)


def _read_again(place: Path) -> bytes:
    """What lies on the medium itself: a link there could lead back to the key here, which then would be the only one.

    Raises:
        Refused: It is a link, a pipe or a device, or cannot be read.
    """
    try:
        with open_beneath(place.parent, place.name) as file:
            return file.read(KEY_BYTES_MAX)
    except OSError as error:
        why = "a link" if place.is_symlink() else error.strerror
        raise Refused(f"{place} is no key on this medium ({why}); take a medium without one") from None


def _link(key: Path, place: Path) -> None:
    """Put a link to the key's place where the key was."""
    draft = key.with_name(f".{key.name}.{os.getpid()}.tmp")
    with storage(f"moving {key.name}"):
        draft.symlink_to(place)
        draft.replace(key)
        sync_folder(key.parent)
