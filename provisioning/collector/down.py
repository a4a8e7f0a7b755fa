"""Messages of headquarters that wait for one box: sealed files that the authority and the duty desk wrote.

The collector opens none of them, and cannot. A box sees its own folder and no other, since the folder is named by the
certificate that it came with; names that are not a message's are nowhere.
"""

import errno
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import read_regular
from appliance.formats.cbor import pack
from appliance.formats.downlink import FILE_NAME, SEALED_BYTES_MAX, WAITING_MAX, Waiting, WaitingList

ROLES: Final = ("answers", "directives")
PER_ROLE_MAX: Final = WAITING_MAX // len(ROLES)
_NAME: Final = re.compile(FILE_NAME)


class Down:
    """The folders of all boxes.

    Args:
        folder: `hq/down`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self, serial: str) -> tuple[bytes, str]:
        """The newest messages of each role for this box, encoded, and an entity tag of that. Raises StorageFault."""
        try:
            found = {path.name: path for path in (self._folder / serial).iterdir() if _NAME.fullmatch(path.name)}
        except FileNotFoundError:
            found = {}
        except OSError as error:
            raise StorageFault(f"messages: {error.strerror}") from None
        names = [name for role in ROLES for name in sorted(n for n in found if n.startswith(role))[-PER_ROLE_MAX:]]
        hashes = {name: _hash_of(found[name]) for name in names}
        messages = tuple(Waiting(name=name, sha256=sha256) for name, sha256 in hashes.items() if sha256)
        encoded = pack(WaitingList(messages=messages))
        return encoded, f'"{hashlib.sha256(encoded).hexdigest()}"'

    def message(self, serial: str, name: str) -> bytes | None:
        """One sealed message for this box; None where there is none of that name. Raises StorageFault."""
        if not _NAME.fullmatch(name):
            return None
        return _read(self._folder / serial / name)


def _hash_of(path: Path) -> bytes:
    """SHA-256; b"" for what is no message."""
    try:
        stat = path.stat()
    except OSError:
        return b""
    return _hash_once(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=65_536)
def _hash_once(path: Path, _modified_ns: int, _size: int) -> bytes:
    """A message never changes, so its hash is worked out once; the arguments say whether it is the same file."""
    sealed = _read(path)
    return b"" if sealed is None else hashlib.sha256(sealed).digest()


def _read(path: Path) -> bytes | None:
    """The sealed file; None for what is no file or longer than a message: one box's oddity is not everybody's end."""
    try:
        return read_regular(path, SEALED_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EFBIG):
            return None
        raise StorageFault(f"{path.name}: {error.strerror}") from None
