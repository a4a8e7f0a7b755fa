"""RTE Native: the frame of the manual; each setting that the manual leaves open accepts, tells, or refuses when set."""

import pytest

from drivers.api import Frame, Noise
from drivers.scanner.rte import RteCodec

TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
BLANK = "_" * 44


def framed(*lines: str, length: int | None = None, bcc: int | None = None, flag: int = 0x30) -> bytes:
    body = b"OU\x02" + bytes((flag,)) + "".join(line + "\r" for line in lines).encode() + b"\x03"
    head = (len(body) if length is None else length).to_bytes(2, "little")
    check = 0
    for byte in head + body:
        check ^= byte
    return b"\x01" + head + body + bytes((check if bcc is None else bcc,))


def frames(codec: RteCodec, chunk: bytes) -> list[tuple[str, ...]]:
    return [event.lines for event in codec.receive(chunk) if isinstance(event, Frame)]


@pytest.mark.parametrize(
    ("sent", "lines"),
    [
        ((BLANK, *TD3), TD3),
        (("", *TD3), TD3),
        (TD1, TD1),
        ((BLANK, *(line.ljust(44, "_") for line in TD2)), TD2),
        (("_" * 30,) * 3, ()),
    ],
)
def test_lines_stand_at_the_bottom_and_lose_their_padding(sent: tuple[str, ...], lines: tuple[str, ...]) -> None:
    assert frames(RteCodec(), framed(*sent)) == [lines]


def test_a_td3_counts_139_bytes_from_the_letter_o_to_etx() -> None:
    # 'O' 'U' 02 FLAG = 4, three times 44 and CR = 135, ETX = 1
    raw = framed(BLANK, *TD3)
    assert raw[:8] == b"\x01\x8c\x00OU\x02\x30_"
    assert len(raw) == 3 + 140 + 1


def test_unset_whatever_comes_is_accepted_and_what_holds_is_told() -> None:
    codec = RteCodec()
    assert "not confirmed on hardware" in codec.note
    assert frames(codec, framed(BLANK, *TD3)) == [TD3]
    assert codec.seen == 'rte_length = "data", rte_check = "xor", rte_flag = 48'
    assert "unknown" not in codec.note
    assert frames(codec, framed(BLANK, *TD3, length=999, bcc=0xEE)) == [TD3]
    assert codec.seen == "rte_length = unknown, rte_check = unknown, rte_flag = 48"
    assert "unknown" in codec.note


@pytest.mark.parametrize(
    ("codec", "broken"),
    [
        (RteCodec(length="data"), framed(BLANK, *TD3, length=141)),
        (RteCodec(check="xor"), framed(BLANK, *TD3, bcc=0xEE)),
        (RteCodec(flag=0x30), framed(BLANK, *TD3, flag=0x31)),
    ],
)
def test_what_is_set_must_hold(codec: RteCodec, broken: bytes) -> None:
    events = codec.receive(broken)
    assert [type(event) for event in events] == [Noise]
    assert frames(codec, framed(BLANK, *TD3)) == [TD3]


def test_a_lost_check_byte_costs_one_document_and_not_the_next() -> None:
    events = RteCodec().receive(framed(BLANK, *TD3)[:-1] + framed(*TD1))
    assert [event.lines for event in events if isinstance(event, Frame)] == [TD1]


def test_a_lost_character_is_seen_by_the_width_of_the_line() -> None:
    raw = framed(BLANK, *TD3)
    codec = RteCodec()
    assert frames(codec, raw[:60] + raw[61:]) == []
    assert frames(codec, framed(*TD1)) == [TD1]
