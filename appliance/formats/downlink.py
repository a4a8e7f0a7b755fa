"""What headquarters says to one box: signed by the key of its role, then sealed to the box (README, "Downlink").

COSE_Sign1 by a roster key of the role that the kind of message needs, over {box, counter, time, message}, in an age
file to the box's own recipient. Whoever carries it (the link, a stick) can lose it, and nothing else: the box verifies,
and takes each counter of a role once.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Final, assert_never

from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.errors import Malformed, Untrusted
from appliance.formats import age, cbor, cose
from appliance.formats.fields import Serial
from appliance.formats.voice import Verdict
from appliance.model import Digest, Id, Noun, Text, Word

ANSWERS: Final = "answers"
DIRECTIVES: Final = "directives"
"""Roles of headquarters' keys in the roster: answers to possible matches; keys for the box."""
DOWNLINK_TYPE: Final = "landlink/downlink"
DOWNLINK_BYTES_MAX: Final = 8_192
SEALED_BYTES_MAX: Final = 32_768
COUNTER_DIGITS: Final = 10
COUNTER_MAX: Final = 10**COUNTER_DIGITS - 1
FILE_NAME: Final = r"\A(answers|directives)-[0-9]{10}\.age\Z"
"""Of a sealed message wherever it lies: headquarters, answer folder, stick, box."""
FOLDER: Final = "down"
COSIGNED: Final = "cosigned"
"""`down/<serial>/` at headquarters and on a stick, `down/` in an answer folder and on the box."""
WAITING_MAX: Final = 256
_LENGTH_BYTES: Final = 4
_PADDED_BYTES_MIN: Final = 1_024


class ListKey(Noun, frozen=True, kw_only=True, tag="list_key"):
    """The key under which lists are published from now on (formats/list_key.py)."""

    key: Digest


class VoiceKey(Noun, frozen=True, kw_only=True, tag="voice_key"):
    """The key of this box's voice codes (formats/voice.py)."""

    key: Digest


class CaseAnswer(Noun, frozen=True, kw_only=True, tag="case_answer"):
    """The answer to a request for confirmation.

    Attributes:
        of: The screening record that it is about.
        words: For the officer.
        by: Who answered.
    """

    of: Id
    verdict: Verdict
    words: Text
    by: Word


Message = ListKey | VoiceKey | CaseAnswer


class Downlink(Noun, frozen=True, kw_only=True):
    """A message with its address.

    Attributes:
        box: The box's name, `domain/serial` in lower case.
        counter: From 1, counted up by one for each message of this role to this box.
        at_ms: When headquarters signed it.
    """

    box: Annotated[str, Meta(pattern=r"\A[a-z0-9.-]{1,64}/[a-z0-9-]{1,64}\Z")]
    counter: Annotated[int, Meta(ge=1, le=COUNTER_MAX)]
    at_ms: Milliseconds
    message: Message


class Waiting(Noun, frozen=True, kw_only=True):
    """A message that the collector has for a box; `sha256` of the sealed file tells whether the box has had it."""

    name: Annotated[str, Meta(pattern=FILE_NAME)]
    sha256: Digest


class WaitingList(Noun, frozen=True, kw_only=True):
    """The collector's answer to `GET /v1/down`: the newest of each role, oldest first; signed by nobody."""

    messages: Annotated[tuple[Waiting, ...], Meta(max_length=WAITING_MAX)]


def file_name(role: str, counter: int) -> str:
    """Where a sealed message lies."""
    return f"{role}-{counter:0{COUNTER_DIGITS}}.age"


def parse_waiting(data: bytes) -> WaitingList:
    """Parse the collector's list. Raises Malformed."""
    waiting: WaitingList = cbor.parse(data, WaitingList, what="waiting messages", bytes_max=WAITING_MAX * 128)
    return waiting


def box_name(domain: str, serial: Serial) -> str:
    """The name of a box, which stays when its log begins anew."""
    return f"{domain}/{serial.lower()}"


def role_of(message: Message) -> str:
    """Which role signs this kind of message."""
    match message:
        case ListKey() | VoiceKey():
            return DIRECTIVES
        case CaseAnswer():
            return ANSWERS
        case _:
            assert_never(message)


def sign_downlink(downlink: Downlink, *, public: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a message by the Ed25519 key `public` (32 bytes) of its role."""
    protected = {
        cose.LABEL_ALG: cose.ALG_EDDSA,
        cose.LABEL_KID: cose.kid(public),
        cose.LABEL_TYP: DOWNLINK_TYPE,
    }
    return cose.sign1(cbor.pack(downlink), protected=protected, sign=sign)


def seal_downlink(signed: bytes, recipient: age.Recipient) -> bytes:
    """An age file to the box, padded: its length is not to tell a carrier what the answer is."""
    framed = len(signed).to_bytes(_LENGTH_BYTES, "big") + signed
    return age.encrypt(framed.ljust(_padded_size(len(framed)), b"\x00"), [recipient])


def open_downlink(sealed: bytes, identity: age.Identity) -> bytes:
    """What is inside, verified by nobody yet. Raises Malformed; Untrusted when it is for somebody else."""
    padded = age.decrypt(sealed, identity, plaintext_bytes_max=_padded_size(_LENGTH_BYTES + DOWNLINK_BYTES_MAX))
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if len(padded) != _padded_size(end) or padded.count(b"\x00", end) != len(padded) - end:
        raise Malformed("downlink", "not padded as it should be")
    return padded[_LENGTH_BYTES:end]


def _padded_size(size: int) -> int:
    return max(_PADDED_BYTES_MIN, 1 << (size - 1).bit_length())


def verify_downlink(signed: bytes, *, keys_of: Callable[[str], Sequence[bytes]], box: str) -> Downlink:
    """The message that headquarters signed for this box.

    Args:
        signed: As opened.
        keys_of: Public keys of a role, as the roster in service has them.
        box: This box's name.

    Raises:
        Untrusted: No key of the role that this kind of message needs has signed it; it is for another box.
        Malformed: Not a message.
    """
    parsed = cose.parse_sign1(signed, what="downlink", bytes_max=DOWNLINK_BYTES_MAX)
    cose.check_typ(parsed, DOWNLINK_TYPE)
    downlink: Downlink = cbor.parse(parsed.payload, Downlink, what="downlink", bytes_max=DOWNLINK_BYTES_MAX)
    role = role_of(downlink.message)
    for public in keys_of(role):
        try:
            cose.verify_ed25519(parsed, public)
        except Untrusted:  # a role may have several keys; that none signed it is raised below
            continue
        break
    else:
        raise Untrusted(f"downlink: not signed by headquarters' key of the role {role}")
    if downlink.box != box:
        raise Untrusted("downlink: it is for another box")
    return downlink


def downlink_digest(signed: bytes) -> bytes:
    """SHA-256 of the signed message, by which a record names the answer that moved it."""
    return hashlib.sha256(signed).digest()
