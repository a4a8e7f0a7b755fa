"""The collector's protocol (provisioning/collector/README.md) as a client speaks it: one method a request, one Link.

An answer about the link or the whole server is an UplinkFault; an answer about one log or one item is a value.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed, UplinkFault
from appliance.formats.upload import (
    BatchItem,
    BatchResult,
    Have,
    LogUpload,
    encode_batch,
    encode_log_upload,
    parse_batch_answer,
    parse_have,
)
from appliance.model import Origin
from appliance.uplink.index import Item
from appliance.uplink.link import Answer, Link

NOTE_BYTES_MAX: Final = 16_384
"""Of a cosigned checkpoint, as the recorder takes it (wire.Cosigned)."""
SPREAD_HEADER: Final = "landlink-spread"
"""Seconds over which the server wants reconnecting boxes to spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """Headquarters has the whole log and cosigned its head (a note)."""

    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Headquarters has this part of the log."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Headquarters has another number of leaves than the part begins with: ask what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRefused:
    """Headquarters does not take this log: somebody has to look into it."""

    why: str


LogAnswer = Cosigned | Taken | Elsewhere | LogRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Partly:
    """The collector holds the first `offset` bytes, durably."""

    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The collector has it all: headquarters' signed receipt."""

    receipt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRefused:
    """The collector does not take this item.

    Attributes:
        status: The HTTP status; upload.py says which there are.
    """

    status: int
    why: str


UploadAnswer = Partly | Receipt | ItemRefused


class Collector:
    """Headquarters' end of one link.

    Args:
        link: Used by this object alone.
        origin: The log that is delivered.
    """

    def __init__(self, link: Link, origin: Origin) -> None:
        self._link = link
        self._origin = origin
        self.spread_s = 0.0

    @property
    def rate_bytes_per_s(self) -> float:
        """What the link carries, as measured."""
        return self._link.rate_bytes_per_s

    def close(self) -> None:
        """Drop the connection."""
        self._link.close()

    def have(self) -> Have:
        """What headquarters has of this log and its bodies. Raises UplinkFault."""
        answer = self._ask("GET", f"/v1/have/{self._origin}")
        if answer.status != 200:
            raise UplinkFault(f"headquarters does not say what it has: {answer.words}")
        try:
            return parse_have(answer.body)
        except Malformed as error:
            raise UplinkFault(f"headquarters' answer cannot be read: {error}") from None

    def send_log(self, upload: LogUpload) -> LogAnswer:
        """Send a part of the log. Raises UplinkFault."""
        answer = self._ask("POST", f"/v1/log/{self._origin}", body=encode_log_upload(upload))
        match answer.status:
            case 200:
                if len(answer.body) > NOTE_BYTES_MAX:
                    raise UplinkFault(f"headquarters' cosigned checkpoint is longer than {NOTE_BYTES_MAX} bytes")
                return Cosigned(note=answer.body)
            case 202:
                return Taken(size=upload.from_index + len(upload.leaves))
            case 409:
                return Elsewhere()
            case _:
                return LogRefused(why=answer.words)

    def send_batch(self, items: Sequence[BatchItem]) -> tuple[BatchResult, ...]:
        """Send small bodies, or ask for the receipts of those whose body is b"". Raises UplinkFault."""
        answer = self._ask("POST", "/v1/batch", body=encode_batch(items))
        if answer.status != 200:
            raise UplinkFault(f"headquarters does not take the batch: {answer.words}")
        try:
            return parse_batch_answer(answer.body)
        except Malformed as error:
            raise UplinkFault(f"headquarters' answer cannot be read: {error}") from None

    def offset(self, item: Item) -> UploadAnswer:
        """Where to go on with a large body. Raises UplinkFault."""
        answer = self._ask("HEAD", self._address(item))
        if answer.status == 204:
            return Partly(offset=_offset(answer, item.size))
        return ItemRefused(status=answer.status, why=f"status {answer.status}")

    def send_part(self, item: Item, *, offset: int, part: bytes) -> UploadAnswer:
        """Send a part of a large body; b"" at its end asks for the receipt. Raises UplinkFault."""
        complete = offset + len(part) == item.size
        headers = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset),
            "Upload-Length": str(item.size),
            "Upload-Complete": "?1" if complete else "?0",
            "Priority": f"u={int(item.priority)}",
            "Repr-Digest": f"sha-256=:{base64.b64encode(item.sha256).decode('ascii')}:",
        }
        answer = self._ask("PATCH", self._address(item), headers=headers, body=part)
        match answer.status:
            case 200:
                return Receipt(receipt=answer.body)
            case 204:
                return Partly(offset=_offset(answer, item.size))
            case 409 if "upload-offset" in answer.headers:
                return Partly(offset=_offset(answer, item.size))
            case _:
                return ItemRefused(status=answer.status, why=answer.words)

    def _address(self, item: Item) -> str:
        return f"/v1/up/{self._origin}/{item.leaf}/{item.sha256.hex()}"

    def _ask(self, method: str, target: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        answer = self._link.request(method, target, headers=headers, body=body)
        self.spread_s = _seconds(answer.headers.get(SPREAD_HEADER, ""))
        if answer.status in (401, 403, 429) or answer.status >= 500:
            raise UplinkFault(f"headquarters answers {answer.status}: {answer.words}")
        return answer


def _offset(answer: Answer, size: int) -> int:
    text = answer.headers.get("upload-offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= size):
        raise UplinkFault("headquarters' answer has no usable Upload-Offset")
    return int(text)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0.0
