"""A message to one box: by the right role, to the right box, whole; and its length tells a carrier nothing."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import Malformed, Untrusted
from appliance.formats import cose
from appliance.formats.age import encrypt
from appliance.formats.cbor import pack
from appliance.formats.downlink import (
    ANSWERS,
    DIRECTIVES,
    DOWNLINK_TYPE,
    WAITING_MAX,
    CaseAnswer,
    Downlink,
    ListKey,
    Message,
    VoiceKey,
    Waiting,
    WaitingList,
    box_name,
    file_name,
    open_downlink,
    parse_waiting,
    role_of,
    seal_downlink,
    sign_downlink,
    verify_downlink,
)
from appliance.formats.voice import Verdict
from tests.formats_samples import ESCROW, GENERAL

BOX = "landlink.example/la-0001"
KEYS = {
    role: Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
    for number, role in enumerate((ANSWERS, DIRECTIVES))
}
PUBLIC = {role: key.public_key().public_bytes_raw() for role, key in KEYS.items()}
ANSWER = CaseAnswer(of="0123456789abcdef" * 2, verdict=Verdict.CONFIRMED, words="", by="Duty desk 1")


def signed(message: Message, *, role: str | None = None, box: str = BOX) -> bytes:
    key = KEYS[role or role_of(message)]
    downlink = Downlink(box=box, counter=1, at_ms=1_793_100_000_000, message=message)
    return sign_downlink(downlink, public=key.public_key().public_bytes_raw(), sign=key.sign)


def verified(data: bytes, box: str = BOX) -> Downlink:
    return verify_downlink(data, keys_of=lambda role: [PUBLIC[role]], box=box)


@pytest.mark.parametrize("message", [ListKey(key=bytes(32)), VoiceKey(key=bytes(32)), ANSWER])
def test_a_message_says_what_was_signed(message: Message) -> None:
    assert verified(signed(message)).message == message


@pytest.mark.parametrize(
    ("message", "role"), [(ListKey(key=bytes(32)), ANSWERS), (VoiceKey(key=bytes(32)), ANSWERS), (ANSWER, DIRECTIVES)]
)
def test_a_key_of_the_other_role_signs_nothing_of_this_kind(message: Message, role: str) -> None:
    with pytest.raises(Untrusted, match="not signed by headquarters' key of the role"):
        verified(signed(message, role=role))


def test_a_former_key_of_the_role_still_counts() -> None:
    newer = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert verify_downlink(signed(ANSWER), keys_of=lambda role: [newer, PUBLIC[role]], box=BOX).message == ANSWER


def test_a_roster_without_such_a_key_believes_nobody() -> None:
    with pytest.raises(Untrusted):
        verify_downlink(signed(ANSWER), keys_of=lambda _: [], box=BOX)


def test_a_message_to_another_box_is_not_for_this_one() -> None:
    with pytest.raises(Untrusted, match="for another box"):
        verified(signed(ANSWER, box="landlink.example/la-0002"))


def test_another_kind_of_signed_thing_is_no_message() -> None:
    protected = {
        cose.LABEL_ALG: cose.ALG_EDDSA,
        cose.LABEL_KID: cose.kid(PUBLIC[ANSWERS]),
        cose.LABEL_TYP: "landlink/receipt",
    }
    payload = cose.parse_sign1(signed(ANSWER)).payload
    with pytest.raises((Malformed, Untrusted)):
        verified(cose.sign1(payload, protected=protected, sign=KEYS[ANSWERS].sign))
    assert cose.parse_sign1(signed(ANSWER)).protected[cose.LABEL_TYP] == DOWNLINK_TYPE


def test_every_flipped_bit_of_a_message_is_noticed() -> None:
    whole = signed(ANSWER)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        with pytest.raises((Malformed, Untrusted)):
            verified(bytes(changed))


def test_the_two_verdicts_have_one_length_on_the_way() -> None:
    sizes = {
        len(seal_downlink(signed(CaseAnswer(of=ANSWER.of, verdict=verdict, words="", by="D")), GENERAL.recipient))
        for verdict in Verdict
    }
    assert len(sizes) == 1


def test_only_the_box_that_it_is_sealed_to_opens_it() -> None:
    sealed = seal_downlink(signed(ANSWER), GENERAL.recipient)
    assert open_downlink(sealed, GENERAL) == signed(ANSWER)
    with pytest.raises(Untrusted):
        open_downlink(sealed, ESCROW)


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x01x",
        b"\xff\xff\xff\xff".ljust(1_024, b"\x00"),
        (b"\x00\x00\x00\x01x" + b"\x01").ljust(1_024, b"\x00"),
        b"\x00\x00\x00\x01x".ljust(2_048, b"\x00"),
    ],
    ids=["nothing", "cut", "not padded", "too long a length", "padded with a one", "padded too far"],
)
def test_what_is_not_padded_as_it_should_be_is_malformed(inside: bytes) -> None:
    with pytest.raises(Malformed):
        open_downlink(encrypt(inside, [GENERAL.recipient], os.urandom), GENERAL)


def test_the_list_of_what_waits_is_bounded_and_its_names_are_a_messages() -> None:
    assert file_name(ANSWERS, 7) == "answers-0000000007.age"
    waiting = Waiting(name=file_name(ANSWERS, 7), sha256=bytes(32))
    most = pack(WaitingList(messages=(waiting,) * WAITING_MAX))
    assert len(parse_waiting(most).messages) == WAITING_MAX
    with pytest.raises(Malformed):
        parse_waiting(pack(WaitingList(messages=(waiting,) * (WAITING_MAX + 1))))
    for name in ("../answers-0000000001.age", "answers-0000000001.age\n", "receipts-0000000001.age", "said.jsonl"):
        with pytest.raises(Malformed):
            parse_waiting(pack(WaitingList(messages=(Waiting(name=name, sha256=bytes(32)),))))


def test_a_boxs_name_is_lower_case() -> None:
    assert box_name("landlink.example", "LA-0001") == BOX
