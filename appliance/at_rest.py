"""Secrets in files of the box: sealed under one key, which systemd or a token gives the process when it starts.

A box without such a key keeps its secrets as plain files; both can be read, so that a box is sealed by giving it a key.
One that is sealed takes no plain file any more: somebody else put it there.

A sealed file is `landlink-sealed1` || salt (32) || ChaCha20-Poly1305 of the secret with nonce 0, under HKDF-SHA-256
of the sealing key, the salt and info "landlink.example/at-rest/v1" || 00 || the file's name: each writing has a key of
its own, and a file under another name does not open.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.errors import StorageFault, Untrusted
from appliance.files import read_regular, write_durably
from drivers.api import Sealer

MAGIC: Final = b"landlink-sealed1"
SALT_BYTES: Final = 32
KEY_BYTES: Final = 32
OVERHEAD_BYTES: Final = len(MAGIC) + SALT_BYTES + 16
INFO: Final = b"landlink.example/at-rest/v1\0"
NONCE: Final = bytes(12)
SECRET_BYTES_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class AtRest:
    """How the secrets of one process lie on the card.

    Attributes:
        key: The sealing key, 32 bytes; None where secrets lie open.
        plain: Whether a file that is not sealed is taken.
    """

    key: bytes | None = None
    plain: bool = True

    def __repr__(self) -> str:
        """No key in any trace."""
        return f"AtRest({'open' if self.key is None else 'sealed'})"

    def read(self, path: Path, bytes_max: int) -> bytes:
        """The secret in the file at `path`.

        Raises:
            FileNotFoundError: There is none.
            OSError: It is no regular file, too long, or cannot be read.
            Untrusted: It does not open.
        """
        return self.open(path.name, read_regular(path, bytes_max + OVERHEAD_BYTES))

    def write(self, path: Path, secret: bytes) -> None:
        """Put the secret at `path`, durably, for its owner alone. Raises StorageFull, StorageFault."""
        write_durably(path, self.seal(path.name, secret), mode=0o600)

    def seal(self, name: str, secret: bytes) -> bytes:
        """What lies in the file `name`."""
        if self.key is None:
            return secret
        salt = os.urandom(SALT_BYTES)
        return MAGIC + salt + _cipher(self.key, salt, name).encrypt(NONCE, secret, None)

    def open(self, name: str, content: bytes) -> bytes:
        """The secret in what lies in the file `name`. Raises Untrusted."""
        if not content.startswith(MAGIC):
            if not self.plain:
                raise Untrusted(f"{name} lies open beside keys that are sealed: it is not the one that this box made")
            return content
        if self.key is None:
            raise Untrusted(f"{name} is sealed, and its sealing key was not given (systemd/README.md, Keys)")
        salt = content[len(MAGIC) : len(MAGIC) + SALT_BYTES]
        try:
            return _cipher(self.key, salt, name).decrypt(NONCE, content[len(MAGIC) + SALT_BYTES :], None)
        except InvalidTag:
            raise Untrusted(f"{name} does not open: it was sealed on another box, or under another key") from None


OPEN: Final = AtRest()
"""Secrets lie open."""


def key_of(token: Sealer, path: Path, *, make: bool = False) -> bytes:
    """The sealing key that only this token opens.

    Args:
        token: Where it is opened.
        path: The file in which it lies sealed.
        make: Make one where there is none.

    Raises:
        DeviceError: The token is away, or it is not the one.
        Untrusted: There is none.
        StorageFull, StorageFault: It could not be made.
    """
    if make and not path.exists():
        write_durably(path, token.seal(os.urandom(KEY_BYTES)), mode=0o600)
    try:
        return token.open(read_regular(path, SECRET_BYTES_MAX))
    except OSError:
        raise Untrusted(f"{path.name} is missing: the key that this box's secrets are sealed under") from None


def sealed(
    key: bytes | None, files: Iterable[Path], last: Path, check: Callable[[bytes], None] | None = None
) -> AtRest:
    """Seal what still lies open, and take nothing open from then on.

    Args:
        key: The sealing key; None changes nothing.
        files: Secrets that may be there.
        last: The one whose sealing says that all are; it is sealed last, so that a power cut on the way starts over.
        check: Raises Untrusted when an open `last` is not the one that this box made.

    Raises:
        StorageFull, StorageFault: Not all could be sealed; it is done again at the next start.
    """
    if key is None:
        return OPEN
    if not _is_sealed(last):
        if check is not None and last.exists():
            check(_content(last))
        at_rest = AtRest(key)
        for path in (*files, last):
            if path.exists() and not _is_sealed(path):
                at_rest.write(path, _content(path))
    return AtRest(key, plain=False)


@contextlib.contextmanager
def in_memory(secret: bytes) -> Generator[str]:
    """A name for the secret, for a library that takes files alone; it never comes to a disk."""
    fd = os.memfd_create("secret", os.MFD_CLOEXEC)
    try:
        os.write(fd, secret)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _is_sealed(path: Path) -> bool:
    return path.exists() and _content(path).startswith(MAGIC)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, SECRET_BYTES_MAX + OVERHEAD_BYTES)
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error


def _cipher(key: bytes, salt: bytes, name: str) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(hashes.SHA256(), KEY_BYTES, salt, INFO + name.encode()).derive(key))
