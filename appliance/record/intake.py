"""Stage 6 of 8: record - intake: what a booth may ask to be recorded (I8, I10).

A taken-over booth can lie in new records. It cannot record into another log or mode, cannot pass pictures off as
records that the disk's reserve is kept for, and cannot close a case but by an outcome of the same record and person.
"""

from collections.abc import Callable

from appliance.errors import Malformed, Refused
from appliance.formats.record import parse_record
from appliance.formats.wire import Append, Case, RefusalCode, RefusedReply
from appliance.model import Id, Mode, Priority
from appliance.recorded import Body, Canary, Outcome, Picture, Record, Screened


class RefusedWith(Refused):
    """A refusal with its code on the wire."""

    def __init__(self, code: RefusalCode, words: str) -> None:
        self.reply = RefusedReply(code=code, words=words)
        super().__init__(words)


def check_append(request: Append, memfd: bytes | None, *, origin: str, mode: Mode) -> tuple[Record, bytes]:
    """The record of a request, and its encoding.

    Raises:
        Malformed: Not a record, or its priority or case do not belong to its kind.
        RefusedWith: It names another log or mode.
    """
    if (memfd is None) == (not request.record):
        raise Malformed("append", "a record stands either in the message or in a memfd beside it")
    encoded = request.record if memfd is None else memfd
    record = parse_record(encoded)
    if record.origin != origin:
        raise RefusedWith(
            "wrong_origin", f"The record names another log than {origin}; ask for its name and try again."
        )
    if record.mode is not mode:
        raise RefusedWith("wrong_origin", f"This box records in {mode.value} mode.")
    _check_kind(request, record)
    return record, encoded


def _check_kind(request: Append, record: Record) -> None:
    body = record.body
    if isinstance(body, Canary):
        raise Malformed("append", "canaries are made by the recorder itself")
    if isinstance(body, Picture) != (request.priority is Priority.BULK):
        raise Malformed("append", "pictures, and nothing else, have the priority of bulk")
    if request.opens is not None and not (
        isinstance(body, Screened) and request.opens.of == record.record_id and _same_person(request.opens, record)
    ):
        raise Malformed("append", "a case opens with the screening that it is about")
    if request.closes is not None and not _may_close(request, body):
        raise Malformed("append", "a case closes with its own outcome, or moves to the same person's next document")


def check_cases(request: Append, record: Record, find: Callable[[Id], Case | None]) -> None:
    """A case that is open stays as it was opened, and closes with a record of its own person only.

    Args:
        request: As it came.
        record: What is in it.
        find: The open case about a record, None when there is none.

    Raises:
        Malformed: A second case of one record would leave the key of the first behind; or it is another person's.
    """
    if request.opens is not None and find(request.opens.of) is not None:
        raise Malformed("append", "the case of this record is open already")
    closes = None if request.closes is None else find(request.closes)
    if closes is not None and not _same_person(closes, record):
        raise Malformed("append", "the case that it closes is another person's")


def _same_person(case: Case, record: Record) -> bool:
    crossing, person = record.crossing, record.person
    if crossing is None or person is None:
        return False
    return (case.crossing.id, case.person.id) == (crossing.id, person.id)


def _may_close(request: Append, body: Body) -> bool:
    match body:
        case Outcome():
            return request.closes == body.of
        case Screened():
            return request.opens is not None and body.laid > 1
        case _:
            return False
