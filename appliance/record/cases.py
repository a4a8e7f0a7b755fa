"""Stage 6 of 8: record - open cases: results that wait for their outcome, each under a key of its own (I2).

They are the one thing that the box can read again. A case's key is made ahead, so that opening a case costs no sync of
its own: the ciphertext travels in the entry's journal frame. Later states of the case are under the same key, each with
a random nonce of its own, so they cost none either; a case has tens of them, and ChaCha20-Poly1305 bears billions. The
key is destroyed when the outcome is recorded or at a maximum age; then no copy of any state, in a journal or in a file,
can be opened by anybody.

How long a case lives: 14 days from its opening; with a possible match that is not ruled out, 90 days, since a box may
lie dark for weeks while headquarters' answer is on its way. Updating a case makes no life longer. When there are more
than 64, the oldest without a match goes first, and one with a match when these are more than 48.
"""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.at_rest import OPEN, AtRest
from appliance.clock import Instant
from appliance.errors import Malformed, Untrusted
from appliance.files import replace_file, storage, sync_folder
from appliance.formats.cbor import pack, parse
from appliance.formats.wire import CASE_BYTES_MAX, CASES_MAX, MESSAGE_BYTES_MAX, Case
from appliance.record.journal import Frame, SealedCase
from appliance.record.open_case import OPEN_CASE_BYTES_MAX, OpenCase

SPARE_KEYS: Final = 8
CASE_MS_MAX: Final = 14 * 24 * 3_600_000
OUTSTANDING_MS_MAX: Final = 90 * 24 * 3_600_000
OUTSTANDING_MAX: Final = 48
SEALED_BYTES_MAX: Final = OPEN_CASE_BYTES_MAX + 1_024
KEY_BYTES: Final = 32
CASES_IN_ANSWER_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 1_024


@dataclass(frozen=True, slots=True)
class _Here:
    """An open case and how it is sealed."""

    content: OpenCase
    sealed: SealedCase


class CaseStore:
    """Open cases and their keys.

    Args:
        cases: Folder of sealed cases.
        keys: Folder of keys, spare ones among them.
        at_rest: How a key lies in its file.
    """

    def __init__(self, cases: Path, keys: Path, at_rest: AtRest = OPEN) -> None:
        self._cases = cases
        self._keys = keys
        self._at_rest = at_rest
        self._open: dict[str, _Here] = {}
        self._spare: dict[str, None] = {}

    def load(self, frames: Iterable[Frame] = ()) -> None:
        """Read what is on the disk, and then what the journal says, oldest frame first.

        A case whose key is gone is over; a whole key without a case is a spare one.
        """
        with storage("reading open cases"):
            for path in self._cases.glob("*.case"):
                try:
                    self._adopt(parse(path.read_bytes(), SealedCase, what="case", bytes_max=SEALED_BYTES_MAX))
                except Malformed:
                    path.unlink()  # torn by a power cut; the journal still has it, and publication writes it again
            self._spare = dict.fromkeys(path.stem for path in self._keys.glob("*.key") if self._holds_key(path))
        for here in self._open.values():
            self._spare.pop(here.sealed.key, None)
        for frame in frames:
            for sealed in (frame.opens, frame.updates):
                if sealed is not None:
                    self._adopt(sealed)
            if frame.closes is not None:
                self.closed(frame.closes)

    def refill(self) -> bool:
        """Make one spare key, durably, if some are missing; whether there is more to do. Call it when idle."""
        if len(self._spare) < SPARE_KEYS:
            name = secrets.token_hex(16)
            self._at_rest.write(self._key_path(name), secrets.token_bytes(KEY_BYTES))
            self._spare[name] = None
        return self.spare_wanted

    @property
    def spare_wanted(self) -> bool:
        """Whether fewer keys are ready than should be."""
        return len(self._spare) < SPARE_KEYS

    def seal(self, content: OpenCase, now: Instant) -> SealedCase:
        """Seal a new case under a spare key. The key is taken with `became`, after the entry is durable.

        Raises:
            Malformed: The case is too long.
            StorageFull, StorageFault: There was no spare key and none could be made.
        """
        if not self._spare:
            self.refill()
        return self._seal(content, next(iter(self._spare)), now)

    def reseal(self, content: OpenCase) -> SealedCase:
        """Seal a later state of an open case, under its own key and as old as it is.

        Raises:
            Malformed: The case is too long.
            StorageFault: Its key cannot be read.
        """
        sealed = self._open[content.case.of].sealed
        return self._seal(content, sealed.key, sealed.opened)

    def became(self, content: OpenCase, sealed: SealedCase) -> None:
        """The entry that opens or updates this case is durable."""
        self._spare.pop(sealed.key, None)
        self._open[sealed.of] = _Here(content, sealed)

    def closed(self, of: str) -> None:
        """The entry that closes this case is durable: show it no more."""
        self._open.pop(of, None)

    def write(self, sealed: SealedCase) -> Path | None:
        """Publish a case from its frame; None when it is over (its key is gone)."""
        if not self._key_path(sealed.key).exists():
            return None
        path = self._cases / f"{sealed.of}.case"
        replace_file(path, pack(sealed), mode=0o600)
        return path

    def destroy(self, of: str) -> None:
        """Publish a closing: overwrite and remove the key, then remove the case. Repeating it does nothing."""
        path = self._cases / f"{of}.case"
        with storage("destroying a case's key"):
            with contextlib.suppress(FileNotFoundError, Malformed):
                sealed: SealedCase = parse(path.read_bytes(), SealedCase, what="case", bytes_max=SEALED_BYTES_MAX)
                self._destroy_key(self._key_path(sealed.key))
                self._spare.pop(sealed.key, None)
            path.unlink(missing_ok=True)

    def find(self, of: str) -> OpenCase | None:
        """The open case about this record."""
        here = self._open.get(of)
        return None if here is None else here.content

    def all(self) -> Iterator[OpenCase]:
        """Every open case, in no order."""
        return (here.content for here in self._open.values())

    def page(self, skip: int) -> tuple[Case, ...]:
        """Open cases, the newest first, after the first `skip`: as many as one answer holds, one at least."""
        cases: list[Case] = []
        size = 0
        for here in sorted(self._open.values(), key=_opened_ms, reverse=True)[skip:]:
            size += len(pack(here.content.case))
            if len(cases) == CASES_MAX or (cases and size > CASES_IN_ANSWER_BYTES_MAX):
                break
            cases.append(here.content.case)
        return tuple(cases)

    def overdue(self, now: Instant) -> str | None:
        """A case that is too old, or one too many: its record; None when there is none."""
        if len(self._open) > CASES_MAX:
            return self._one_too_many()
        return next((of for of, here in self._open.items() if _over(here, now)), None)

    def _one_too_many(self) -> str:
        matches = {of for of, here in self._open.items() if here.content.outstanding}
        pool = matches if len(matches) > OUTSTANDING_MAX else self._open.keys() - matches
        return min(pool, key=lambda of: _opened_ms(self._open[of]))

    def _seal(self, content: OpenCase, key_name: str, opened: Instant) -> SealedCase:
        of, size = content.case.of, len(pack(content.case))
        if size > CASE_BYTES_MAX:
            raise Malformed("case", f"{size} bytes, at most {CASE_BYTES_MAX}")
        nonce = secrets.token_bytes(12)
        with storage("reading a case's key"):
            cipher = self._cipher(key_name)
        ciphertext = cipher.encrypt(nonce, pack(content), of.encode("ascii"))
        return SealedCase(of=of, key=key_name, nonce=nonce, ciphertext=ciphertext, opened=opened)

    def _adopt(self, sealed: SealedCase) -> None:
        with contextlib.suppress(OSError, ValueError, InvalidTag, Malformed, Untrusted):
            plaintext = self._cipher(sealed.key).decrypt(sealed.nonce, sealed.ciphertext, sealed.of.encode("ascii"))
            self.became(parse(plaintext, OpenCase, what="case", bytes_max=OPEN_CASE_BYTES_MAX), sealed)

    def _cipher(self, key_name: str) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self._at_rest.read(self._key_path(key_name), KEY_BYTES))

    def _holds_key(self, path: Path) -> bool:
        """Whether one lies there: not what a power cut left of one that was destroyed, nor what does not open."""
        try:
            key = self._at_rest.read(path, KEY_BYTES)
        except (OSError, Untrusted):
            return False
        return len(key) == KEY_BYTES and any(key)

    def _key_path(self, name: str) -> Path:
        return self._keys / f"{name}.key"

    def _destroy_key(self, path: Path) -> None:
        """Zeros over the key first: on storage that writes in place nothing of it stays."""
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, bytes(os.fstat(fd).st_size), 0)
            os.fdatasync(fd)
        finally:
            os.close(fd)
        path.unlink()
        sync_folder(self._keys)


def _opened_ms(here: _Here) -> int:
    """When the recorder opened it: what a booth says of the time decides nothing about other cases."""
    return here.sealed.opened.wall_ms


def _over(here: _Here, now: Instant) -> bool:
    outstanding = here.content.outstanding
    age = age_ms(here.sealed.opened, now, outstanding=outstanding)
    return age > (OUTSTANDING_MS_MAX if outstanding else CASE_MS_MAX)


def age_ms(opened: Instant, now: Instant, *, outstanding: bool) -> int:
    """How old a case is.

    Within one boot the boot clock says it. Across boots, an ordinary case is as old as anything claims: to end it early
    harms nobody. A match that nobody has answered is as old as clocks say for which somebody vouches, or as is proven;
    else no more than this boot has lasted, so no clock that leaps closes it.
    """
    if opened.boot_id == now.boot_id:
        return now.boot_ms - opened.boot_ms
    ages = [now.boot_ms]
    if opened.trusted or not outstanding:
        ages.append(now.lower_bound_ms - max(opened.wall_ms, opened.lower_bound_ms))
    if (opened.trusted and now.trusted) or not outstanding:
        ages.append(now.wall_ms - opened.wall_ms)
    return max(ages)
