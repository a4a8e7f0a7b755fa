"""List keys: what makes a box's copy of the lists useless to who has only its card (README, "List keys").

Headquarters has one list key at a time, for a year at most, and seals it to each box (downlink.py). From it follow the
key of the documents list's digests, that of its details, and the one that the persons index is encrypted under; a file
names its list key and does not hold it. A box keeps the keys of the last years, since a base stays in service until
the next one.

All of it is deterministic: equal content under one key has equal bytes, so that a mirror fetches only what is new, and
merges a documents list with its changes without any key.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305

from appliance.errors import Malformed, Untrusted
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.person_index import INDEX_BYTES_MAX
from appliance.formats.refusal import refusal

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
DETAILS_KEY_BYTES: Final = 64
"""AES-256-SIV (RFC 5297) has two keys of 32."""
SEALED_MAGIC: Final = b"LLSEAL1\n"
NONCE_BYTES: Final = 12
CHUNK_BYTES: Final = 1_048_576
TAG_BYTES: Final = 16
_HEAD_BYTES: Final = len(SEALED_MAGIC) + KEY_ID_BYTES + KEY_BYTES
_STEP: Final = CHUNK_BYTES + TAG_BYTES
SEALED_BYTES_MAX: Final = _HEAD_BYTES + INDEX_BYTES_MAX + -(-INDEX_BYTES_MAX // CHUNK_BYTES) * TAG_BYTES


class KeyNotHere(Untrusted):
    """A list is under a key that has not reached this box; its text says so, in plain words.

    Attributes:
        key_id: What the list names its key by.
    """

    def __init__(self, named: bytes) -> None:
        self.key_id = named
        super().__init__("its key has not reached this box yet")


class DocumentsKey:
    """A list key as the documents list uses it.

    Attributes:
        key_id: By which a file names it.
    """

    def __init__(self, list_key: bytes) -> None:
        self.key_id: Final = key_id(list_key)
        self._hash = hashlib.blake2b(key=documents_key(list_key), digest_size=16)
        self._details = AESSIV(_derived(list_key, b"details", DETAILS_KEY_BYTES))

    def digest(self, document: DocumentKey) -> bytes:
        """Where the list keeps this document: 16 bytes."""
        hashed = self._hash.copy()  # the key is in it already: a third of the time of a new one
        hashed.update(document.text)
        return hashed.digest()

    def seal(self, listed: ListedDocument) -> bytes:
        """A detail as a page file holds it; equal ones have equal bytes."""
        return self._details.encrypt(msgspec.json.encode(listed, order="deterministic"), None)

    def open(self, sealed: bytes, digest: bytes) -> ListedDocument:
        """What the list says of the document with this digest, which is the entry itself where no other is named.

        Raises:
            Untrusted: A byte of it is not what was sealed.
            Malformed: What was sealed is no detail.
        """
        try:
            listed = msgspec.json.decode(self._details.decrypt(sealed, None), type=ListedDocument)
        except (InvalidTag, ValueError) as error:  # msgspec's errors are ValueErrors, as is a tag cut short
            if isinstance(error, (msgspec.DecodeError, UnicodeDecodeError)):
                raise Malformed("listed document", refusal(error)) from None
            raise Untrusted("listed document: it is not what headquarters sealed") from None
        return listed if listed.entry else msgspec.structs.replace(listed, entry=digest.hex())


def key_id(list_key: bytes) -> bytes:
    """By what a file names the key it is under, 8 bytes; tells nothing about the key."""
    return _derived(list_key, b"id")[:KEY_ID_BYTES]


def documents_key(list_key: bytes) -> bytes:
    """The key of the documents list's digests, 32 bytes (`DocumentsKey.digest`)."""
    return _derived(list_key, b"documents")


def find_key(keys: Iterable[bytes], named: bytes) -> bytes:
    """The key of this identifier. Raises KeyNotHere."""
    for key in keys:
        if key_id(key) == named:
            return key
    raise KeyNotHere(named)


def seal_persons(index: bytes | memoryview, list_key: bytes) -> bytes:
    """Encrypt a persons index: magic, key identifier, a salt, then chunks of 1 MiB under a key of this file.

    The salt is a keyed hash of the index: no two indexes share a key, and the same one has the same bytes.
    """
    salt = hashlib.blake2b(index, key=_derived(list_key, b"persons-salt"), digest_size=KEY_BYTES).digest()
    head = SEALED_MAGIC + key_id(list_key) + salt
    cipher, whole = _persons_cipher(list_key, salt), memoryview(index)
    count = max(-(-len(index) // CHUNK_BYTES), 1)
    sealed = [
        cipher.encrypt(
            _nonce(number, last=number == count - 1), whole[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES], head
        )
        for number in range(count)
    ]
    return b"".join((head, *sealed))


def sealed_key_id(sealed: bytes) -> bytes:
    """Which list key a sealed index is under. Raises Malformed when it is none."""
    if not sealed.startswith(SEALED_MAGIC) or len(sealed) < _HEAD_BYTES + TAG_BYTES:
        raise Malformed("sealed persons", "not a sealed persons index, or cut off")
    return sealed[len(SEALED_MAGIC) :][:KEY_ID_BYTES]


def open_persons(sealed: bytes, keys: Sequence[bytes]) -> memoryview:
    """The persons index inside, in memory and nowhere else.

    Raises:
        Malformed: Not a sealed index, or cut off.
        KeyNotHere: None of the keys is the one that it is under.
        Untrusted: A byte of it is not what was sealed.
    """
    list_key = find_key(keys, sealed_key_id(sealed))
    head, whole = sealed[:_HEAD_BYTES], memoryview(sealed)[_HEAD_BYTES:]
    count, rest = -(-len(whole) // _STEP), len(whole) % _STEP
    if len(sealed) > SEALED_BYTES_MAX or 0 < rest < TAG_BYTES:
        raise Malformed("sealed persons", "longer than an index can be, or cut off")
    cipher = _persons_cipher(list_key, head[-KEY_BYTES:])
    index = memoryview(bytearray(len(whole) - count * TAG_BYTES))
    try:
        for number in range(count):
            chunk = whole[number * _STEP : (number + 1) * _STEP]
            into = index[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            cipher.decrypt_into(_nonce(number, last=number == count - 1), chunk, head, into)
    except InvalidTag:
        raise Untrusted("sealed persons: a byte of it is not what headquarters sealed") from None
    return index.toreadonly()


def _persons_cipher(list_key: bytes, salt: bytes) -> ChaCha20Poly1305:
    key = hashlib.blake2b(salt, key=_derived(list_key, b"persons"), digest_size=KEY_BYTES).digest()
    return ChaCha20Poly1305(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])


def _derived(list_key: bytes, purpose: bytes, size: int = KEY_BYTES) -> bytes:
    return hashlib.blake2b(b"landlink.example/list-key/v1\0" + purpose, key=list_key, digest_size=size).digest()
