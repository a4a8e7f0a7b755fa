"""List keys: what makes a box's copy of the lists useless to who has only its card (README, "List keys").

Headquarters has one list key at a time, for a year at most, and seals it to each box (downlink.py). From it follow the
key of the documents list's digests (pages.py names it, and does not hold it) and the key that the persons index is
encrypted under. A box keeps the keys of the last years, since a base stays in service until the next one.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.errors import Malformed, Untrusted

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
SEALED_MAGIC: Final = b"LLSEAL1\n"
NONCE_BYTES: Final = 12
CHUNK_BYTES: Final = 1_048_576
TAG_BYTES: Final = 16
_HEAD_BYTES: Final = len(SEALED_MAGIC) + KEY_ID_BYTES + KEY_BYTES


class KeyNotHere(Untrusted):
    """A list is under a key that has not reached this box; its text says so, in plain words."""


def key_id(list_key: bytes) -> bytes:
    """By what a file names the key it is under, 8 bytes; tells nothing about the key."""
    return _derived(list_key, b"id")[:KEY_ID_BYTES]


def documents_key(list_key: bytes) -> bytes:
    """The key of the documents list's digests, 32 bytes (lists.DocumentKey.digest)."""
    return _derived(list_key, b"documents")


def find_key(keys: Sequence[bytes], named: bytes) -> bytes:
    """The key of this identifier. Raises KeyNotHere."""
    for key in keys:
        if key_id(key) == named:
            return key
    raise KeyNotHere("its key has not reached this box yet")


def seal_persons(index: bytes, list_key: bytes, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt a persons index: magic, key identifier, a random salt, then chunks of 1 MiB under a key of this file."""
    salt = entropy(KEY_BYTES)
    cipher = ChaCha20Poly1305(hashlib.blake2b(salt, key=_derived(list_key, b"persons"), digest_size=KEY_BYTES).digest())
    chunks = [index[start : start + CHUNK_BYTES] for start in range(0, len(index), CHUNK_BYTES)] or [b""]
    head = SEALED_MAGIC + key_id(list_key) + salt
    sealed = [
        cipher.encrypt(_nonce(number, last=number == len(chunks) - 1), chunk, head)
        for number, chunk in enumerate(chunks)
    ]
    return b"".join((head, *sealed))


def open_persons(sealed: bytes, keys: Sequence[bytes]) -> bytes:
    """The persons index inside.

    Raises:
        Malformed: Not a sealed index, or cut off.
        KeyNotHere: None of the keys is the one that it is under.
        Untrusted: A byte of it is not what was sealed.
    """
    if not sealed.startswith(SEALED_MAGIC) or len(sealed) < _HEAD_BYTES + TAG_BYTES:
        raise Malformed("sealed persons", "not a sealed persons index, or cut off")
    head = sealed[:_HEAD_BYTES]
    list_key = find_key(keys, head[len(SEALED_MAGIC) :][:KEY_ID_BYTES])
    file_key = hashlib.blake2b(head[-KEY_BYTES:], key=_derived(list_key, b"persons"), digest_size=KEY_BYTES).digest()
    cipher, whole = ChaCha20Poly1305(file_key), memoryview(sealed)[_HEAD_BYTES:]
    step = CHUNK_BYTES + TAG_BYTES
    count = -(-len(whole) // step)
    try:
        return b"".join(
            cipher.decrypt(_nonce(number, last=number == count - 1), whole[number * step : (number + 1) * step], head)
            for number in range(count)
        )
    except InvalidTag:
        raise Untrusted("sealed persons: a byte of it is not what headquarters sealed") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])


def _derived(list_key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(b"landlink.example/list-key/v1\0" + purpose, key=list_key, digest_size=KEY_BYTES).digest()
