"""What the addresses of boxes do (README.md). Thin: parse, hand to the deposit, answer."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from appliance.errors import Malformed, Untrusted
from appliance.formats.upload import (
    BATCH_BYTES_MAX,
    LOG_UPLOAD_BYTES_MAX,
    BatchItem,
    BatchResult,
    encode_batch_answer,
    encode_have,
    parse_batch,
    parse_log_upload,
)
from appliance.model import Priority
from provisioning.collector.deposit import Deposit, Offer, Refusal
from provisioning.collector.down import Down
from provisioning.collector.logs import Behind
from provisioning.collector.partial import Fence, Partial, Superseded
from provisioning.collector.peers import Box
from provisioning.collector.turns import Turns

IDLE_S: Final = 20.0
"""A body of which nothing arrives for so long is cut."""
WHOLE_S: Final = 300.0
"""A request that is not over by then is cut, however it trickles."""
PART_BYTES_MAX: Final = 1_048_576
BINARY: Final = "application/octet-stream"
PRIORITY: Final = re.compile(r"u=([0-3])")
INDEX: Final = re.compile(r"0|[1-9][0-9]{0,11}")
SHA256_HEX: Final = re.compile(r"[0-9a-f]{64}")


class Requests:
    """The addresses under /v1.

    Args:
        deposit: Takes what boxes bring.
        folder: The collector's data; parts of bodies lie there.
        down: What headquarters says to boxes.
    """

    def __init__(self, deposit: Deposit, folder: Path, down: Down) -> None:
        self._down = down
        self._deposit = deposit
        self._folder = folder
        self._fence = Fence()
        self._turns = Turns()

    def routes(self) -> list[Route]:
        """For the application."""
        log = "{domain}/{log}"
        return [
            Route("/v1/batch", self._in_turn(self.batch), methods=["POST"]),
            Route(f"/v1/log/{log}", self._in_turn(self.log), methods=["POST"]),
            Route(f"/v1/have/{log}", self._in_turn(self.have), methods=["GET"]),
            Route(f"/v1/up/{log}/{{index}}/{{sha256}}", self._in_turn(self.upload), methods=["HEAD", "PATCH"]),
            Route("/v1/down", self._in_turn(self.waiting), methods=["GET"]),
            Route("/v1/down/{name}", self._in_turn(self.message), methods=["GET"]),
        ]

    def _in_turn(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Within the box's share, from before its body is read."""

        async def answer_in_turn(request: Request) -> Response:
            with self._turns.request(_box(request).box.serial):
                return await answer(request)

        return answer_in_turn

    async def log(self, request: Request) -> Response:
        """`POST /v1/log/{origin}`: 200 the cosigned checkpoint, 202 a part, 409 elsewhere, 422 refused."""
        box, origin = _origin(request)
        upload = parse_log_upload(await _body(request, LOG_UPLOAD_BYTES_MAX))
        try:
            note = await self._turns.work(box.box.serial, self._deposit.take_log, box.box, origin, upload)
        except Behind as behind:
            return JSONResponse({"size": behind.size}, 409)
        except Untrusted as error:
            return PlainTextResponse(str(error), 422)
        if note is None:
            return JSONResponse({"size": upload.from_index + len(upload.leaves)}, 202)
        return Response(note, 200, media_type="text/plain; charset=utf-8")

    async def have(self, request: Request) -> Response:
        """`GET /v1/have/{origin}`."""
        box, origin = _origin(request)
        have = await self._turns.work(box.box.serial, self._deposit.have, box.box, origin)
        return Response(encode_have(have), media_type=BINARY)

    async def waiting(self, request: Request) -> Response:
        """`GET /v1/down`: what headquarters has to say to this box; 304 when it is what the box has seen."""
        serial = _box(request).box.serial
        encoded, tag = await self._turns.work(serial, self._down.waiting, serial)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(encoded, headers={"ETag": tag}, media_type=BINARY)

    async def message(self, request: Request) -> Response:
        """`GET /v1/down/{name}`: one sealed message, this box's own; another's is nowhere."""
        serial = _box(request).box.serial
        sealed = await self._turns.work(serial, self._down.message, serial, request.path_params["name"])
        if sealed is None:
            raise HTTPException(404, "no such message")
        return Response(sealed, media_type=BINARY)

    async def batch(self, request: Request) -> Response:
        """`POST /v1/batch`: a receipt or a status an item."""
        box = _box(request)
        items = parse_batch(await _body(request, BATCH_BYTES_MAX))
        own = [_offer(item) for item in items if box.owns(item.origin)]
        taken = iter(await self._turns.work(box.box.serial, self._deposit.take, box.box, own))
        results = [_result(item, next(taken) if box.owns(item.origin) else NOT_YOURS) for item in items]
        return Response(encode_batch_answer(results), media_type=BINARY)

    async def upload(self, request: Request) -> Response:
        """`HEAD`, `PATCH /v1/up/{origin}/{index}/{sha256}`: a body in parts (IETF resumable upload)."""
        box, origin = _origin(request)
        offer = _addressed(request, origin)
        ticket = self._fence.ticket(request.url.path)
        expected = await self._turns.work(box.box.serial, self._deposit.expects, box.box, offer)
        if isinstance(expected, Refusal):
            return PlainTextResponse(expected.why, expected.status)
        partial = Partial(self._folder, origin, offer.leaf, offer.sha256)
        if expected.receipt is not None:
            await self._turns.work(box.box.serial, partial.drop)  # a crash may have left it
            return _complete(request, expected.size, expected.receipt)
        try:
            async with self._fence.hold(request.url.path, ticket):
                offset = await self._turns.work(box.box.serial, partial.offset)
                if request.method == "HEAD":
                    return _at(204, offset)
                if _claimed(request, offer, expected.size) != offset:
                    return _at(409, offset)
                return await self._grow(request, box, offer, partial, expected.size)
        except Superseded:
            return PlainTextResponse("a newer request has taken over", 503)  # about this request, not about the item

    async def _grow(self, request: Request, box: Box, offer: Offer, partial: Partial, size: int) -> Response:
        """Append what arrives; take the body when it is whole."""
        reached = await partial.append(_chunks(request, PART_BYTES_MAX), size=size)
        if reached < size:
            return _at(204, reached)
        sealed = await self._turns.work(box.box.serial, partial.content)
        (taken,) = await self._turns.work(box.box.serial, self._deposit.take, box.box, [replace(offer, body=sealed)])
        await self._turns.work(box.box.serial, partial.drop)  # safe in the store, or damaged: then it starts again
        if isinstance(taken, Refusal):
            return PlainTextResponse(taken.why, taken.status)
        return _complete(request, size, taken)


NOT_YOURS: Final = Refusal(status=403, why="this log is not this box's")


def _box(request: Request) -> Box:
    peer: object = request.state.peer
    if not isinstance(peer, Box):
        raise HTTPException(403, "for boxes only")
    return peer


def _origin(request: Request) -> tuple[Box, str]:
    """The box, and the origin in the address, which is its own."""
    box = _box(request)
    origin = f"{request.path_params['domain']}/{request.path_params['log']}"
    if not box.owns(origin):
        raise HTTPException(403, NOT_YOURS.why)
    return box, origin


def _addressed(request: Request, origin: str) -> Offer:
    index, sha256 = request.path_params["index"], request.path_params["sha256"]
    if INDEX.fullmatch(index) is None or SHA256_HEX.fullmatch(sha256) is None:
        raise HTTPException(404, "no such address")
    said = PRIORITY.fullmatch(request.headers.get("priority", ""))
    priority = Priority.BULK if said is None else Priority(int(said[1]))
    return Offer(
        origin=origin, leaf=int(index), priority=priority, sha256=bytes.fromhex(sha256), body=b"", via="upload"
    )


def _claimed(request: Request, offer: Offer, expected: int) -> int:
    """The offset that a PATCH says it begins at. Raises Malformed."""
    headers = request.headers
    if headers.get("content-type") != "application/partial-upload":
        raise Malformed("upload", "Content-Type is not application/partial-upload")
    digest = f"sha-256=:{base64.b64encode(offer.sha256).decode('ascii')}:"
    if headers.get("repr-digest") != digest:
        raise Malformed("upload", "Repr-Digest is not the hash of the address")
    if headers.get("upload-length") != str(expected):
        raise Malformed("upload", f"Upload-Length is not {expected}, which the statement says")
    offset = headers.get("upload-offset", "")
    if INDEX.fullmatch(offset) is None or int(offset) > expected:
        raise Malformed("upload", "Upload-Offset is no number up to Upload-Length")
    return int(offset)


def _at(status: int, offset: int) -> Response:
    return Response(status_code=status, headers={"Upload-Offset": str(offset), "Upload-Complete": "?0"})


def _complete(request: Request, size: int, receipt: bytes) -> Response:
    headers = {"Upload-Offset": str(size), "Upload-Complete": "?1"}
    if request.method == "HEAD":
        return Response(status_code=204, headers=headers)
    return Response(receipt, headers=headers, media_type=BINARY)


def _offer(item: BatchItem) -> Offer:
    return Offer(
        origin=item.origin,
        leaf=item.index,
        priority=item.priority,
        sha256=item.sha256,
        body=item.body,
        via="batch",
    )


def _result(item: BatchItem, taken: bytes | Refusal) -> BatchResult:
    if isinstance(taken, Refusal):
        return BatchResult(origin=item.origin, index=item.index, status=taken.status, why=taken.why)
    return BatchResult(origin=item.origin, index=item.index, status=200, receipt=taken)


async def _body(request: Request, bytes_max: int) -> bytes:
    """The whole body. Raises HTTPException (413, 408) and Malformed."""
    return b"".join([chunk async for chunk in _chunks(request, bytes_max)])


async def _chunks(request: Request, bytes_max: int) -> AsyncGenerator[bytes]:
    """The body as it arrives, cut when it idles, trickles or is too long."""
    stream = request.stream()
    size = 0
    deadline = asyncio.get_running_loop().time() + WHOLE_S
    while True:
        try:
            async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + IDLE_S, deadline)):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise HTTPException(408, "nothing arrived for too long", {"Connection": "close"}) from None
        if chunk is None:
            return
        size += len(chunk)
        if size > bytes_max:
            raise HTTPException(413, f"more than {bytes_max} bytes", {"Connection": "close"})
        yield chunk
