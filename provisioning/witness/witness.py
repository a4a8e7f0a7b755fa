"""Headquarters as a witness of another authority's logs (C2SP tlog-witness): it cosigns what only grew.

Of each log it keeps the checkpoint that it cosigned last, and judges a new one in the specification's order: 400 not a
request, 404 unknown log, 403 not signed by its key, 409 another old size than the last (answered with that size), 422 a
proof that does not lead there. What is cosigned is durable before anybody gets it. A signed checkpoint that is refused
with 409 or 422 for its root is kept: with the last one it may prove that the log has two trees.
"""

import hashlib
import http
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import read_regular, storage, write_durably
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from appliance.formats.merkle import EMPTY_ROOT, verify_consistency
from appliance.formats.note import NOTE_BYTES_MAX, Signer, Verifier, sign_note
from provisioning.lock import alone
from provisioning.witness.add_checkpoint import AddCheckpoint, parse_add_checkpoint

SIZE_TYPE: Final = "text/x.tlog.size"
TEXT: Final = "text/plain; charset=utf-8"
EVIDENCE_MAX: Final = 1_000
"""Requests kept of all logs: a log that goes wrong does not fill the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a witness answers; `body` is signature lines for 200, a size for 409, words otherwise."""

    status: http.HTTPStatus
    body: bytes
    kind: str = TEXT


class _Refused(Exception):
    """The request is answered with `answer`."""

    def __init__(self, status: http.HTTPStatus, words: str, *, kind: str = TEXT) -> None:
        self.answer = Answer(status=status, body=f"{words}\n".encode(), kind=kind)
        super().__init__(words)


class Witness:
    """A witness; any number of processes may share its folder.

    Args:
        folder: Where its last word on each log lies; made when it is not there.
        logs: The logs that it knows.
        signers: Headquarters' cosigners with the time of now.
    """

    def __init__(self, folder: Path, logs: Sequence[Verifier], signers: Callable[[], Sequence[Signer]]) -> None:
        self._folder = folder
        self._logs = {log.name: log for log in logs}
        self._signers = signers

    def add_checkpoint(self, body: bytes) -> Answer:
        """Judge a request and cosign, or say why not.

        Raises:
            StorageFault, StorageFull: Nothing was cosigned.
        """
        try:
            request = _parsed(body)
            log, checkpoint = self._opened(request)
            with alone(self._folder / "lock"):  # or two would cosign two trees
                self._refuse_other(request, log, checkpoint, body)
                return self._cosigned(checkpoint)
        except _Refused as refused:
            return refused.answer

    def _opened(self, request: AddCheckpoint) -> tuple[Verifier, Checkpoint]:
        text = _text(request.note)
        log = self._logs.get(text.partition("\n")[0])
        if log is None:
            raise _Refused(http.HTTPStatus.NOT_FOUND, "this witness does not know the log")
        try:
            checkpoint = parse_checkpoint(text)
            open_checkpoint(request.note, log)
        except Malformed as error:
            raise _Refused(http.HTTPStatus.BAD_REQUEST, str(error)) from None
        except Untrusted as error:
            raise _Refused(http.HTTPStatus.FORBIDDEN, str(error)) from None
        if request.old_size > checkpoint.size:
            raise _Refused(http.HTTPStatus.BAD_REQUEST, "the old size is larger than that of the checkpoint")
        return log, checkpoint

    def _refuse_other(self, request: AddCheckpoint, log: Verifier, checkpoint: Checkpoint, body: bytes) -> None:
        """Refuse what does not grow from the last checkpoint that was cosigned."""
        last = self._last(log.name)
        if request.old_size != last.size:
            if checkpoint.size == last.size and checkpoint.root != last.root:
                self._keep_evidence(body)
            raise _Refused(http.HTTPStatus.CONFLICT, f"{last.size}", kind=SIZE_TYPE)
        try:
            if last.size == 0:
                _check_beginning(request, checkpoint)
            else:
                verify_consistency(
                    old_size=last.size,
                    old_root=last.root,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    proof=request.proof,
                )
        except (Malformed, Untrusted) as error:
            self._keep_evidence(body)
            raise _Refused(http.HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None

    def _cosigned(self, checkpoint: Checkpoint) -> Answer:
        note = sign_note(checkpoint.text(), self._signers())
        write_durably(self._place(checkpoint.origin), note, mode=0o644)
        return Answer(status=http.HTTPStatus.OK, body=note.partition(b"\n\n")[2])

    def _last(self, origin: str) -> Checkpoint:
        """The last checkpoint of this log that was cosigned; the empty tree before the first."""
        try:
            note = read_regular(self._place(origin), NOTE_BYTES_MAX)
        except FileNotFoundError:
            return Checkpoint(origin=origin, size=0, root=EMPTY_ROOT)
        except OSError as error:
            raise StorageFault(f"reading the last checkpoint of {origin}: {error.strerror}") from None
        return parse_checkpoint(_text(note))

    def _place(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"

    def _keep_evidence(self, body: bytes) -> None:
        folder = self._folder / "evidence"
        with storage("making the witness's evidence"):
            folder.mkdir(parents=True, exist_ok=True)
            full = sum(1 for _ in folder.iterdir()) >= EVIDENCE_MAX
        if not full:
            write_durably(folder / f"{hashlib.sha256(body).hexdigest()}.request", body, mode=0o644)


def _parsed(body: bytes) -> AddCheckpoint:
    try:
        return parse_add_checkpoint(body)
    except Malformed as error:
        raise _Refused(http.HTTPStatus.BAD_REQUEST, str(error)) from None


def _text(note: bytes) -> str:
    """What a note says, whoever signed it; "" for what is none."""
    text, separator, _ = note.partition(b"\n\n")
    return f"{text.decode('utf-8', 'replace')}\n" if separator else ""


def _check_beginning(request: AddCheckpoint, checkpoint: Checkpoint) -> None:
    """Check a log's first checkpoint here: nothing to prove it from. Raises Untrusted."""
    if request.proof:
        raise Untrusted("consistency proof: from the empty tree there is none")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise Untrusted("a tree of no entries with another root than the empty one")
