"""One connection of the auditor: requests for static files, and one that brings a cosigned checkpoint.

GET and HEAD of what `published.py` names, with one range; PUT of `/cosigned/<origin>`. HTTP/1.1 without I/O is h11's.
Every wait has its end: a head that does not come, a body that does not end, an answer that nobody takes.
"""

import asyncio
import http
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

import h11

from appliance.audit.allowance import Allowance
from appliance.audit.published import Published
from appliance.errors import LandlinkError, Malformed, Refused, StorageFault, Untrusted
from appliance.formats.note import NOTE_BYTES_MAX

HEAD_BYTES_MAX: Final = 8_192
REQUEST_S: Final = 30.0
"""A request, from the end of the one before: a connection that says nothing for so long is given up."""
TAKE_S: Final = 30.0
"""One piece of an answer has to be taken within this."""
PIECE_BYTES: Final = 16_384
ANSWER_HEAD_BYTES: Final = 512
"""What the smallest answer costs of the allowance, so that nobody asks without end for nothing."""
COSIGNED: Final = "/cosigned/"
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_journal = logging.getLogger("landlink.audit")

Hand = Callable[[bytes], None]
"""Hands a cosigned checkpoint to the recorder. Raises Refused (it says no), or another LandlinkError (it is away)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: bytes
    address: str
    range: str
    body: bytes


class Exchange:
    """One admitted connection.

    Args:
        reader, writer: Of the connection.
        published: What may be fetched.
        allowance: Shared by all connections.
        hand: Blocks; called in a thread of its own.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        published: Published,
        allowance: Allowance,
        hand: Hand,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._published = published
        self._allowance = allowance
        self._hand = hand
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        self._head_only = False

    async def serve(self) -> None:
        """Answer until the auditor has enough, or breaks a bound.

        Raises:
            OSError, TimeoutError: The connection ended, or a wait.
        """
        while True:
            try:
                async with asyncio.timeout(REQUEST_S):
                    request = await self._request()
                if request is None:
                    return
            except h11.RemoteProtocolError as error:
                await self._words(error.error_status_hint, "this is no request that can be answered here")
                return
            await self._answer(request)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> _Request | None:
        """The next request, read to its end; None when the far end has closed."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            match event:
                case h11.Request():
                    head = event
                case h11.Data():
                    body += event.data
                    if len(body) > NOTE_BYTES_MAX:
                        raise h11.RemoteProtocolError("too long", http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                case h11.EndOfMessage():
                    assert head is not None
                    ranges = [value for name, value in head.headers if name == b"range"]
                    return _Request(
                        method=head.method,
                        address=head.target.decode("latin-1"),
                        range=ranges[0].decode("latin-1") if len(ranges) == 1 else "",
                        body=bytes(body),
                    )
                case h11.ConnectionClosed():
                    return None
                case _:  # h11.NEED_DATA
                    if self._http.they_are_waiting_for_100_continue:
                        await self._send(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                    self._http.receive_data(await self._reader.read(PIECE_BYTES))

    async def _answer(self, request: _Request) -> None:
        self._head_only = request.method == b"HEAD"
        try:
            match request.method:
                case b"GET" | b"HEAD":
                    await self._give(request)
                case b"PUT" if request.address.startswith(COSIGNED):
                    await self._take(request)
                case _:
                    await self._words(
                        http.HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD, and PUT of a cosigned checkpoint"
                    )
        except (StorageFault, Malformed, Untrusted) as error:
            _journal.error("audit: %s", error)
            await self._words(http.HTTPStatus.SERVICE_UNAVAILABLE, "the box cannot read what it published")

    async def _give(self, request: _Request) -> None:
        file = self._published.open(request.address)
        if file is None:
            await self._words(http.HTTPStatus.NOT_FOUND, "nothing has this address")
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            part = part_of(request.range, size)
            if part is None:
                await self._head(http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, f"bytes */{size}")
                await self._send(self._http.send(h11.EndOfMessage()))
                return
            begin, end = part
            status = http.HTTPStatus.OK if end - begin == size else http.HTTPStatus.PARTIAL_CONTENT
            await self._head(
                status, end - begin, f"bytes {begin}-{end - 1}/{size}" if status != http.HTTPStatus.OK else ""
            )
            if not self._head_only:
                await self._content(file, begin, end)
            await self._send(self._http.send(h11.EndOfMessage()))

    async def _content(self, file: BinaryIO, begin: int, end: int) -> None:
        file.seek(begin)
        for at in range(begin, end, PIECE_BYTES):
            piece = file.read(min(PIECE_BYTES, end - at))
            if len(piece) < min(PIECE_BYTES, end - at):  # what was promised cannot be given any more
                raise ConnectionAbortedError
            await self._allowance.take(len(piece))
            await self._send(self._http.send(h11.Data(data=piece)))

    async def _take(self, request: _Request) -> None:
        """Hand a cosigned checkpoint on. The address says for which log; the recorder alone judges."""
        if request.address.removeprefix(COSIGNED) != self._published.origin():
            await self._words(http.HTTPStatus.NOT_FOUND, "this box has no such log now")
            return
        try:
            await asyncio.to_thread(self._hand, request.body)
        except Refused as refusal:
            _journal.warning("audit: the recorder refuses a cosigned checkpoint: %s", refusal)
            await self._words(http.HTTPStatus.CONFLICT, str(refusal))
        except LandlinkError as error:
            await self._words(http.HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        else:
            _journal.info("audit: the recorder keeps a cosigned checkpoint")
            await self._words(http.HTTPStatus.OK, "kept")

    async def _words(self, status: int, words: str) -> None:
        """A short answer in words."""
        content = f"{words}\n".encode()
        await self._head(status, len(content), "")
        if not self._head_only:
            await self._send(self._http.send(h11.Data(data=content)))
        await self._send(self._http.send(h11.EndOfMessage()))

    async def _head(self, status: int, length: int, part: str) -> None:
        headers = [
            ("Content-Type", "application/octet-stream" if status in (200, 206) else "text/plain; charset=utf-8"),
            ("Content-Length", str(length)),
            ("Accept-Ranges", "bytes"),
        ]
        if part:
            headers.append(("Content-Range", part))
        await self._allowance.take(ANSWER_HEAD_BYTES)
        await self._send(
            self._http.send(h11.Response(status_code=status, reason=http.HTTPStatus(status).phrase, headers=headers))
        )

    async def _send(self, wire: bytes | None) -> None:
        if wire:
            self._writer.write(wire)
            async with asyncio.timeout(TAKE_S):
                await self._writer.drain()


def part_of(asked: str, size: int) -> tuple[int, int] | None:
    """Which bytes a Range header asks for, from the first up to but without the last; all where it is none of one part.

    Args:
        asked: The header's value, "" where there is none.
        size: Of the file.

    Returns:
        None where the file has no such bytes (RFC 9110 §14.1.2).
    """
    match = _RANGE.fullmatch(asked)
    if match is None or match[1] == match[2] == "":
        return 0, size
    if not match[1]:
        return (max(0, size - int(match[2])), size) if int(match[2]) and size else None
    begin, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and last < begin:
        return 0, size
    return (begin, min(last + 1, size)) if begin < size else None
