"""Frames of the Elyctis Scanner Command Set v1.7, byte by byte as its manual prints them."""

import pytest

from drivers.api import Frame, Noise
from drivers.scanner.elyctis import ElyctisCodec

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD3_FRAME = b"\x49\x00\x59" + "\r".join(TD3).encode()
"""0x59 = 89: 44 characters, CR, 44 characters."""


def frames(events: list[Frame | Noise]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


def test_hello_asks_for_the_version() -> None:
    assert ElyctisCodec().hello() == bytes.fromhex("560000")


def test_arm_turns_continuous_mode_on() -> None:
    assert ElyctisCodec().arm() == bytes.fromhex("43000101")


def test_present_means_a_well_formed_answer_since_hello() -> None:
    codec = ElyctisCodec()
    assert not codec.present
    codec.receive(bytes.fromhex("560003") + b"1.7")
    assert codec.present
    codec.hello()
    assert not codec.present


def test_our_own_question_sent_back_is_an_echo_and_no_scanner() -> None:
    codec = ElyctisCodec()
    assert codec.receive(codec.hello()) + codec.idle() == []
    assert not codec.present
    codec.receive(bytes.fromhex("43000101"))
    assert codec.present


def test_garbage_is_no_answer() -> None:
    codec = ElyctisCodec()
    codec.receive(b"AT\r\r\nERROR\r\n")
    codec.idle()
    assert not codec.present


def test_unsolicited_document_is_one_frame_with_its_lines_as_sent() -> None:
    assert ElyctisCodec().receive(TD3_FRAME) == [Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME)]


def test_length_zero_is_nothing_read() -> None:
    nothing = bytes.fromhex("490000")
    assert ElyctisCodec().receive(nothing) == [Frame(dialect="elyctis", lines=(), raw=nothing)]


def test_a_closing_line_end_makes_no_empty_line() -> None:
    framed = b"\x49\x00\x5b" + "\r".join(TD3).encode() + b"\r\n"
    assert frames(ElyctisCodec().receive(framed)) == [Frame(dialect="elyctis", lines=TD3, raw=framed)]


@pytest.mark.parametrize("answer", ["43000101", "43000100", "5600023137", "5200044142434B", "570001" + "39", "540000"])
def test_other_answers_are_neither_documents_nor_noise(answer: str) -> None:
    codec = ElyctisCodec()
    assert codec.receive(bytes.fromhex(answer)) + codec.idle() == []


def test_garbage_before_a_document_is_counted_and_skipped() -> None:
    events = ElyctisCodec().receive(b"\x00\xff\x49" + TD3_FRAME)
    assert events == [
        Noise(count=3, why="garbage between frames"),
        Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME),
    ]


def test_silence_inside_a_frame_gives_it_up() -> None:
    codec = ElyctisCodec()
    assert codec.receive(TD3_FRAME[:50]) == []
    assert codec.idle() == [Noise(count=50, why="truncated frame or garbage")]
    assert frames(codec.receive(TD3_FRAME)) == [Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME)]


def test_silence_between_frames_means_nothing() -> None:
    codec = ElyctisCodec()
    assert codec.idle() == []


def test_the_next_header_breaks_a_frame_that_is_too_short() -> None:
    events = ElyctisCodec().receive(TD3_FRAME[:60] + TD3_FRAME)
    assert events == [
        Noise(count=60, why="garbage between frames"),
        Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME),
    ]


def test_one_lost_byte_does_not_cost_the_next_document_its_command_byte() -> None:
    short = TD3_FRAME[:50] + TD3_FRAME[51:]
    events = frames(ElyctisCodec().receive(short + TD3_FRAME))
    assert events[-1] == Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME)


def test_a_length_over_4096_starts_no_frame() -> None:
    codec = ElyctisCodec()
    events = codec.receive(bytes.fromhex("491000") + b"<" * 4096 + TD3_FRAME)
    assert frames(events) == [Frame(dialect="elyctis", lines=TD3, raw=TD3_FRAME)]


def test_more_lines_than_a_document_has_are_noise() -> None:
    body = b"A\r" * 5
    assert ElyctisCodec().receive(b"\x49\x00\x0a" + body) == [
        Noise(count=13, why="more than 4 lines of 100 characters")
    ]


def test_a_line_longer_than_100_characters_is_noise() -> None:
    assert ElyctisCodec().receive(b"\x49\x00\x65" + b"A" * 101) == [
        Noise(count=104, why="more than 4 lines of 100 characters")
    ]


def test_garbage_without_end_is_reported_without_waiting_for_silence() -> None:
    assert [event.count for event in ElyctisCodec().receive(b"\xff" * 5000) if isinstance(event, Noise)] == [5000]
