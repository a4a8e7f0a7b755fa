"""age v1 files (C2SP age v1.1) to hybrid recipients (ML-KEM-768 with X25519): how every body is sealed.

The box holds recipients only (I2); identities are headquarters'. Classical recipients (`age1...`, passphrases) are
refused by name: one of them in a file would undo what the hybrid ones promise.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.errors import Malformed, Untrusted
from appliance.formats import bech32
from appliance.formats.age_header import (
    Stanza,
    check_mac,
    decode_base64,
    encode_base64,
    encode_header,
    parse_header,
)
from appliance.formats.age_payload import NONCE_BYTES, open_payload, payload_cipher, payload_size, seal_payload
from appliance.formats.record import RECORD_BYTES_MAX, padded_size

RECIPIENT_PREFIX: Final = "age1pq"
IDENTITY_PREFIX: Final = "age-secret-key-pq-"
CLASSICAL_PREFIXES: Final = ("age", "age-secret-key-")
STANZA_TYPE: Final = "mlkem768x25519"
INFO: Final = b"age-encryption.org/mlkem768x25519"
SEED_BYTES: Final = 32
MLKEM_PUBLIC_BYTES: Final = 1_184
PUBLIC_BYTES: Final = MLKEM_PUBLIC_BYTES + 32
ENC_BYTES: Final = 1_120
FILE_KEY_BYTES: Final = 16
WRAPPED_KEY_BYTES: Final = FILE_KEY_BYTES + 16
TEXT_CHARACTERS_MAX: Final = 2_048
RECIPIENTS_MAX: Final = 8
BLOB_BYTES_MAX: Final = 16_384 + payload_size(padded_size(RECORD_BYTES_MAX + 4))
"""The largest sealed body: RECIPIENTS_MAX stanzas and the longest record."""

_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class Recipient:
    """Whom a file is sealed to.

    Args:
        public: ML-KEM-768 encapsulation key (1184 bytes) || X25519 public key (32 bytes).

    Raises:
        Malformed: Not such keys: wrong length, not reduced, or a point of low order that would give the secret away.
    """

    def __init__(self, public: bytes) -> None:
        if len(public) != PUBLIC_BYTES:
            raise Malformed("age recipient", f"{len(public)} bytes, not {PUBLIC_BYTES}")
        try:
            x25519 = X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:])
            X25519PrivateKey.from_private_bytes(b"\x01" * 32).exchange(x25519)
            self._key = hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]), x25519
            )
        except ValueError:
            raise Malformed("age recipient", "no ML-KEM-768 and X25519 public keys") from None
        self._public = public

    def encode(self) -> str:
        """`age1pq1...`, 1959 characters."""
        return bech32.encode(RECIPIENT_PREFIX, self._public)

    def wrap(self, file_key: bytes | bytearray) -> Stanza:
        """Seal the file key to this recipient; every call gives another stanza."""
        sealed = _SUITE.encrypt(file_key, self._key, INFO)
        return Stanza(arguments=(STANZA_TYPE, encode_base64(sealed[:ENC_BYTES])), body=sealed[ENC_BYTES:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipient) and self._public == other._public

    def __hash__(self) -> int:
        return hash(self._public)


class Identity:
    """Who can open a file.

    Args:
        seed: 32 secret bytes; SHAKE256(seed, 96) = ML-KEM seed (64) || X25519 scalar (32).
        former: Identities that this one follows; what was sealed to them it opens, too.

    Raises:
        Malformed: A seed of another length.
    """

    def __init__(self, seed: bytes, former: Sequence["Identity"] = ()) -> None:
        if len(seed) != SEED_BYTES:
            raise Malformed("age identity", f"a seed of {len(seed)} bytes, not {SEED_BYTES}")
        self._seed = seed
        self._former = tuple(former)
        expanded = hashlib.shake_256(seed).digest(96)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self.recipient: Final = Recipient(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )

    def encode(self) -> str:
        """`AGE-SECRET-KEY-PQ-1...`: a secret, never to be printed."""
        return bech32.encode(IDENTITY_PREFIX, self._seed).upper()

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key; None when this stanza is of another type or for another identity.

        Raises:
            Malformed: A stanza of this type without exactly an encapsulated key of 1120 and a body of 32 bytes: checked
                before decryption, so that no oracle can tell identities apart (C2SP age).
        """
        if stanza.arguments[0] != STANZA_TYPE:
            return None
        if len(stanza.arguments) != 2:
            raise Malformed("age stanza", f"{STANZA_TYPE} takes one argument")
        enc = decode_base64(stanza.arguments[1], what="age stanza argument")
        if len(enc) != ENC_BYTES or len(stanza.body) != WRAPPED_KEY_BYTES:
            raise Malformed("age stanza", f"encapsulated key or body are not {ENC_BYTES} and {WRAPPED_KEY_BYTES} bytes")
        try:
            return _SUITE.decrypt(enc + stanza.body, self._key, INFO)
        except InvalidTag:
            return next((key for key in (each.unwrap(stanza) for each in self._former) if key is not None), None)

    def __repr__(self) -> str:
        return "Identity(...)"


def parse_recipient(text: str) -> Recipient:
    """Parse `age1pq1...`. Raises Malformed, also for a classical recipient."""
    prefix, public = bech32.decode(text, what="age recipient", characters_max=TEXT_CHARACTERS_MAX)
    _check_prefix(prefix, RECIPIENT_PREFIX, "age recipient")
    return Recipient(public)


def parse_identity(text: str, former: Sequence[Identity] = ()) -> Identity:
    """Parse `AGE-SECRET-KEY-PQ-1...`. Raises Malformed, also for a classical identity; never with the text in it."""
    prefix, seed = bech32.decode(text, what="age identity", characters_max=TEXT_CHARACTERS_MAX)
    _check_prefix(prefix, IDENTITY_PREFIX, "age identity")
    return Identity(seed, former)


def generate_identity(entropy: Callable[[int], bytes] = os.urandom) -> Identity:
    """A new identity of 32 random bytes."""
    return Identity(entropy(SEED_BYTES))


def _check_prefix(found: str, expected: str, what: str) -> None:
    if found in CLASSICAL_PREFIXES:
        raise Malformed(what, "classical (X25519), refused: only post-quantum hybrid ones are used")
    if found != expected:
        raise Malformed(what, "not of the post-quantum hybrid type")


def encrypt(plaintext: bytes, recipients: Sequence[Recipient], entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Seal to every recipient; each of them alone can open the file.

    Args:
        plaintext: What to seal, at most 4 MiB of record with its padding.
        recipients: 1 to RECIPIENTS_MAX, all different.
        entropy: Gives fresh random bytes (file key and nonce); encapsulation takes the library's own.
    """
    return Prepared(recipients, entropy).seal(plaintext)


class Prepared:
    """A file's header and its payload's key, made before it is known what will be in it: they say nothing of that.

    Args:
        recipients: 1 to RECIPIENTS_MAX, all different.
        entropy: Gives file key and nonce, fresh ones for each file.
    """

    def __init__(self, recipients: Sequence[Recipient], entropy: Callable[[int], bytes] = os.urandom) -> None:
        assert 1 <= len(set(recipients)) == len(recipients) <= RECIPIENTS_MAX, "one to eight different recipients"
        file_key, nonce = bytearray(entropy(FILE_KEY_BYTES)), entropy(NONCE_BYTES)
        stanzas = tuple(recipient.wrap(file_key) for recipient in recipients)
        self._head = encode_header(stanzas, file_key) + nonce
        self._cipher: ChaCha20Poly1305 | None = payload_cipher(file_key, nonce)
        file_key[:] = bytes(FILE_KEY_BYTES)  # what the library copied is beyond reach

    def seal(self, plaintext: bytes) -> bytes:
        """The file; once, since a payload's key that sealed two would give both away."""
        cipher, self._cipher = self._cipher, None
        assert cipher is not None, "a payload's key seals one file"
        return seal_payload(plaintext, cipher, head=self._head)

    def forget(self) -> None:
        """Nothing can be sealed with it any more; the library wipes the payload's key."""
        self._cipher = None


def decrypt(blob: bytes, identity: Identity, *, plaintext_bytes_max: int) -> bytes:
    """Open a file.

    Raises:
        Malformed: Not an age file, or longer than the bound.
        Untrusted: Sealed to others, or header or payload were changed.
    """
    header = parse_header(blob)
    file_key = next((key for key in map(identity.unwrap, header.stanzas) if key is not None), None)
    if file_key is None:
        raise Untrusted("age file: no recipient stanza opens with this identity")
    if len(file_key) != FILE_KEY_BYTES:
        raise Malformed("age stanza", f"a file key of {len(file_key)} bytes, not {FILE_KEY_BYTES}")
    check_mac(header, file_key)
    return open_payload(blob[header.payload_offset :], file_key, plaintext_bytes_max=plaintext_bytes_max)
