"""Stage 6 of 8: record - intake: what a booth may ask to be recorded (I8, I10).

A taken-over booth can lie in new records. It cannot record into another log or mode, and cannot pass pictures off as
records that the disk's reserve is kept for. What it may do to open cases stands in case_change.py.
"""

from appliance.errors import Malformed, Refused
from appliance.formats.record import parse_record
from appliance.formats.wire import Append, RefusalCode, RefusedReply
from appliance.model import Mode, Priority
from appliance.recorded import Canary, Picture, Record


class RefusedWith(Refused):
    """A refusal with its code on the wire."""

    def __init__(self, code: RefusalCode, words: str) -> None:
        self.reply = RefusedReply(code=code, words=words)
        super().__init__(words)


def check_append(request: Append, memfd: bytes | None, *, origin: str, mode: Mode) -> tuple[Record, bytes]:
    """The record of a request, and its encoding.

    Raises:
        Malformed: Not a record, or its priority does not belong to its kind.
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
