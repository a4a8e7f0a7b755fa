"""Scanners that just send text: ended by silence, by a closing line end, or framed by STX and ETX."""

import pytest

from drivers.api import Frame, Noise
from drivers.scanner.generic import FramedCodec, GenericCodec

TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def generic(lines: tuple[str, ...], raw: bytes) -> Frame:
    return Frame(dialect="generic", lines=lines, raw=raw)


@pytest.mark.parametrize("document", [TD1, TD2, TD3])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_closing_line_end_completes_a_document_at_once(document: tuple[str, ...], end: bytes) -> None:
    codec = GenericCodec()
    sent = b"".join(line.encode() + end for line in document)
    raw = sent[: len(sent) - len(end) + 1]
    assert codec.receive(sent) == [generic(document, raw)]
    assert codec.idle() == []


def test_without_a_closing_line_end_the_silence_completes_it() -> None:
    codec = GenericCodec()
    sent = "\r".join(TD3).encode()
    assert codec.receive(sent) == []
    assert codec.idle() == [generic(TD3, sent)]


@pytest.mark.parametrize("document", [TD1, TD2, TD3])
def test_lines_run_together_are_one_line_ended_by_silence(document: tuple[str, ...]) -> None:
    codec = GenericCodec()
    sent = "".join(document).encode()
    assert codec.receive(sent) == []
    assert codec.idle() == [generic((sent.decode(),), sent)]


def test_a_byte_that_is_no_text_spoils_what_comes_until_the_silence() -> None:
    codec = GenericCodec()
    assert codec.receive(TD3[0].encode() + b"\xff" + TD3[1].encode() + b"\r") == []
    assert codec.idle() == [Noise(count=90, why="a byte that is no text")]
    assert codec.receive("".join(line + "\r" for line in TD3).encode())[0] == generic(
        TD3, "".join(line + "\r" for line in TD3).encode()
    )


def test_text_without_a_silence_is_bounded() -> None:
    codec = GenericCodec()
    assert codec.receive(b"A" * 100_000) == []
    assert codec.idle() == [Noise(count=100_000, why="more than 4096 bytes without a silence")]


def test_a_generic_device_has_nothing_to_ask_and_is_always_there() -> None:
    codec = GenericCodec()
    assert (codec.hello(), codec.arm(), codec.present) == (b"", b"", True)


def framed(text: bytes) -> bytes:
    return b"\x02" + text + b"\x03"


def test_text_between_stx_and_etx_is_a_document() -> None:
    raw = framed("\r".join(TD3).encode())
    assert FramedCodec(lrc=False).receive(raw) == [generic(TD3, raw)]


def test_nothing_between_stx_and_etx_is_nothing_read() -> None:
    assert FramedCodec(lrc=False).receive(b"\x02\x03") == [generic((), b"\x02\x03")]


def test_the_check_byte_is_the_xor_of_what_follows_stx() -> None:
    # 'A' ^ 'B' ^ ETX = 0x41 ^ 0x42 ^ 0x03 = 0x00
    assert FramedCodec(lrc=True).receive(b"\x02AB\x03\x00") == [generic(("AB",), b"\x02AB\x03\x00")]


def test_a_wrong_check_byte_makes_noise_of_the_document() -> None:
    assert FramedCodec(lrc=True).receive(b"\x02AB\x03\x01") == [Noise(count=5, why="the check byte does not hold")]


def test_stx_inside_a_frame_starts_the_next_document() -> None:
    raw = framed(b"AB")
    assert FramedCodec(lrc=False).receive(b"\x02X" + raw) == [
        Noise(count=2, why="a frame without its end"),
        generic(("AB",), raw),
    ]


def test_silence_inside_a_frame_gives_it_up_when_framed() -> None:
    codec = FramedCodec(lrc=True)
    assert codec.receive(b"\x02AB\x03") == []
    assert codec.idle() == [Noise(count=4, why="truncated frame or garbage")]
    assert codec.idle() == []


def test_line_ends_between_frames_are_no_noise() -> None:
    raw = framed(b"AB")
    assert FramedCodec(lrc=False).receive(b"\r\n" + raw + b"\r\n") == [generic(("AB",), raw)]


def test_a_frame_without_end_is_bounded() -> None:
    events = FramedCodec(lrc=False).receive(b"\x02" + b"A" * 5000 + framed(b"AB"))
    assert events[-1] == generic(("AB",), framed(b"AB"))
    assert sum(event.count for event in events if isinstance(event, Noise)) == 5001
