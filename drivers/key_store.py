"""The box's identity key (P-256) in a file: what `api.KeyStore` means without a token.

The key lies as PEM PKCS#8, sealed where the box has a sealing key, readable by its owner alone. It signs and is never
given away: there is no method that returns it, and a file that others may read is refused, because then it no longer
identifies this box.
"""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from drivers.api import DeviceError, SecretKeeper

KEY_BYTES_MAX = 4_096


class FileKeyStore:
    """Implements `api.KeyStore` over the key file at `path`.

    Args:
        path: The file.
        at_rest: How the key lies in it; None: open.

    Raises:
        DeviceError: There is no such file, others may read it, or it holds no P-256 key.
    """

    def __init__(self, path: Path, at_rest: SecretKeeper | None = None) -> None:
        self._key = _key(_read(path), path.name, at_rest)

    @classmethod
    def create(cls, path: Path, at_rest: SecretKeeper | None = None) -> "FileKeyStore":
        """Make a new key at `path`, durably; an existing key is never replaced.

        Raises:
            DeviceError: There is a key already, or the file cannot be written.
        """
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        content = pem if at_rest is None else at_rest.seal(path.name, pem)
        partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                path.hardlink_to(partial)  # unlike a rename, a link fails when the name is taken
            finally:
                partial.unlink()
            _sync(path.parent)
        except OSError as error:
            raise DeviceError(f"the identity key cannot be written: {error.strerror}") from None
        return cls(path, at_rest)

    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo of the identity key."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over the message; r || s, 64 bytes (RFC 9053 §2.1)."""
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise DeviceError(f"the identity key cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise DeviceError(f"the identity key's file may be read by others (mode {mode:04o}); it must be 0600")
    return content


def _key(content: bytes, name: str, at_rest: SecretKeeper | None) -> ec.EllipticCurvePrivateKey:
    pem = content if at_rest is None else at_rest.open(name, content)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DeviceError("the identity key's file holds no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise DeviceError("the identity key's file holds another kind of key; it must be P-256")
    return key
