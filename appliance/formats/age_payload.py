"""The binary payload of an age v1 file (C2SP age, "Payload"): nonce, then ChaCha20-Poly1305 chunks of 64 KiB.

The nonce of a chunk is its number in 11 bytes and a last byte that says whether it is the final one, so chunks can be
neither reordered, dropped, nor cut off unnoticed.
"""

from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.errors import Malformed, Untrusted

CHUNK_BYTES: Final = 65_536
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 16


def payload_size(plaintext_bytes: int) -> int:
    """Bytes of the payload that seals so many bytes."""
    return NONCE_BYTES + plaintext_bytes + TAG_BYTES * max(1, -(-plaintext_bytes // CHUNK_BYTES))


def payload_cipher(file_key: bytes | bytearray, nonce: bytes) -> ChaCha20Poly1305:
    """What encrypts or decrypts one payload; `nonce` stands before it."""
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=nonce, info=b"payload").derive(file_key))


def seal_payload(plaintext: bytes, cipher: ChaCha20Poly1305, *, head: bytes) -> bytes:
    """Encrypt, once with one cipher. What is returned begins with `head`: a file's header, and the cipher's nonce."""
    last = max(0, len(plaintext) - 1) // CHUNK_BYTES
    sealed = [head]
    for number, chunk in enumerate(_chunks(plaintext, CHUNK_BYTES)):
        sealed.append(cipher.encrypt(_chunk_nonce(number, final=number == last), chunk, None))
    return b"".join(sealed)


def open_payload(payload: bytes, file_key: bytes, *, plaintext_bytes_max: int) -> bytes:
    """Decrypt the whole payload; nothing is returned unless all of it is genuine.

    Raises:
        Malformed: Too short for a nonce and a tag, longer than the bound, or an empty chunk after others.
        Untrusted: A chunk was changed, or chunks are missing or follow the final one.
    """
    if len(payload) < NONCE_BYTES + TAG_BYTES:
        raise Malformed("age payload", f"{len(payload)} bytes, at least {NONCE_BYTES + TAG_BYTES}")
    if len(payload) > payload_size(plaintext_bytes_max):
        raise Malformed("age payload", f"{len(payload)} bytes, at most {payload_size(plaintext_bytes_max)}")
    cipher = payload_cipher(file_key, payload[:NONCE_BYTES])
    chunks = list(_chunks(payload[NONCE_BYTES:], CHUNK_BYTES + TAG_BYTES))
    if len(chunks) > 1 and len(chunks[-1]) <= TAG_BYTES:
        raise Malformed("age payload", "the final chunk is empty though it is not the only one")
    try:
        return b"".join(
            cipher.decrypt(_chunk_nonce(number, final=number == len(chunks) - 1), chunk, None)
            for number, chunk in enumerate(chunks)
        )
    except InvalidTag:
        raise Untrusted("age payload: a chunk was changed, or the file was cut or lengthened") from None


def _chunks(data: bytes, size: int) -> Iterator[memoryview]:
    """Pieces of `size` bytes, the last one shorter; one empty piece of nothing."""
    whole = memoryview(data)
    for start in range(0, max(1, len(data)), size):
        yield whole[start : start + size]


def _chunk_nonce(number: int, *, final: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if final else b"\x00")
