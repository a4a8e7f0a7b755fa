"""Honeywell imagers: set-up and its echo, lines with one separator or one by one, a page that stays is read once."""

import pytest

from drivers.api import Frame, Noise
from drivers.scanner.honeywell import GONE_SILENCES, HoneywellCodec

TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
ECHO = b"ALLENA0\x06;OCRENA1\x06;OCRATS2\x06!"


def sent(lines: tuple[str, ...]) -> bytes:
    return "\r".join(lines).encode()


def frame(lines: tuple[str, ...]) -> Frame:
    return Frame(dialect="honeywell", lines=lines, raw=sent(lines))


def test_the_commands_are_those_of_the_manuals() -> None:
    codec = HoneywellCodec()
    assert codec.hello() == bytes.fromhex("16550d 164d0d") + b"allena0;ocrena1;ocrats2!"
    assert codec.arm() == bytes.fromhex("16540d")


@pytest.mark.parametrize("echo", [ECHO, ECHO.lower(), b"ALLENA0\x05;OCRENA1\x06;OCRATS2\x06."])
def test_an_imager_that_takes_passport_reading_is_present_and_says_no_document(echo: bytes) -> None:
    codec = HoneywellCodec()
    codec.hello()
    assert not codec.present
    assert codec.receive(echo) == []
    assert codec.present
    assert codec.note == ""
    assert codec.idle() == []


@pytest.mark.parametrize("status", [b"\x05", b"\x15"])
@pytest.mark.parametrize("item", [b"OCRENA1", b"OCRATS2"])
def test_an_imager_that_refuses_passport_reading_is_not_present_and_says_why(item: bytes, status: bytes) -> None:
    codec = HoneywellCodec()
    codec.hello()
    codec.receive(ECHO.replace(item + b"\x06", item + status))
    assert not codec.present
    assert "passport reading" in codec.note


@pytest.mark.parametrize(("document", "size"), [(TD3, 89), (TD1, 92), (TD2, 73)])
def test_a_document_is_whole_with_the_last_character_of_its_last_line(document: tuple[str, ...], size: int) -> None:
    assert len(sent(document)) == size
    codec = HoneywellCodec()
    assert codec.receive(sent(document)[:-1]) == []
    assert codec.receive(sent(document)[-1:]) == [frame(document)]
    assert codec.receive(b"\r\n") == []
    assert codec.idle() == []


def test_lines_that_come_one_by_one_are_put_together() -> None:
    codec = HoneywellCodec()
    for line in TD1[:2]:
        assert codec.receive(line.encode() + b"\r") == []
    assert codec.receive(TD1[2].encode() + b"\r") == [frame(TD1)]


def test_a_lost_line_costs_its_document_and_lends_the_next_nothing() -> None:
    codec = HoneywellCodec()
    assert codec.receive(TD3[0].encode() + b"\r") == []
    assert codec.idle() == [Noise(count=45, why="a line is missing or not whole")]
    assert codec.receive(sent(TD1)) == [frame(TD1)]


def test_an_echo_between_two_lines_belongs_to_neither() -> None:
    codec = HoneywellCodec()
    assert codec.receive(TD3[0].encode() + b"\r" + ECHO + TD3[1].encode()) == [frame(TD3)]
    assert codec.present


def test_lines_run_together_are_ended_by_silence() -> None:
    codec = HoneywellCodec()
    text = "".join(TD3)
    assert codec.receive(text.encode()) == []
    assert codec.idle() == [Frame(dialect="honeywell", lines=(text,), raw=text.encode())]


def test_a_page_that_stays_is_read_again_and_delivered_once_and_the_imager_is_triggered_on() -> None:
    codec = HoneywellCodec()
    assert codec.receive(sent(TD3)) == [frame(TD3)]
    assert not codec.spent
    assert codec.receive(sent(TD3)) == []
    assert codec.spent
    codec.arm()
    assert not codec.spent
    assert codec.receive(sent(TD1)) == [frame(TD1)]


def test_a_page_that_was_taken_away_and_laid_again_is_delivered_again() -> None:
    codec = HoneywellCodec()
    codec.receive(sent(TD3))
    for _ in range(GONE_SILENCES):
        assert codec.idle() == []
    assert codec.receive(sent(TD3)) == [frame(TD3)]


def test_text_without_a_silence_is_bounded() -> None:
    codec = HoneywellCodec()
    assert codec.receive(b"A" * 100_000) == []
    assert codec.idle() == [Noise(count=100_000, why="more than any document has")]
