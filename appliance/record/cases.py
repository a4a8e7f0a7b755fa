"""Stage 6 of 8: record - open cases: results that wait for their outcome, each under a key of its own (I2).

They are the one thing that the box can read again. A case's key is made ahead, so that opening a case costs no sync of
its own: the ciphertext travels in the entry's journal frame. The key is destroyed when the outcome is recorded or at a
maximum age; then no copy of the ciphertext, in a journal or in a file, can be opened by anybody.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.files import replace_file, storage, sync_folder, write_durably
from appliance.formats.cbor import pack, parse
from appliance.formats.wire import CASES_MAX, MESSAGE_BYTES_MAX, Case
from appliance.record.journal import SealedCase

SPARE_KEYS: Final = 8
CASE_MS_MAX: Final = 14 * 24 * 3_600_000
CASE_BYTES_MAX: Final = 16_384
KEY_BYTES: Final = 32
CASES_IN_ANSWER_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 1_024


class CaseStore:
    """Open cases and their keys.

    Args:
        cases: Folder of sealed cases.
        keys: Folder of keys, spare ones among them.
    """

    def __init__(self, cases: Path, keys: Path) -> None:
        self._cases = cases
        self._keys = keys
        self._open: dict[str, tuple[Case, SealedCase]] = {}
        self._spare: dict[str, None] = {}

    def load(self) -> None:
        """Read what is on the disk. A case whose key is gone is over; a key without a case is a spare one."""
        with storage("reading open cases"):
            for path in self._cases.glob("*.case"):
                try:
                    self._adopt(parse(path.read_bytes(), SealedCase, what="case", bytes_max=2 * CASE_BYTES_MAX))
                except Malformed:
                    path.unlink()  # torn by a power cut; the journal still has it, and publication writes it again
            self._spare = dict.fromkeys(path.stem for path in self._keys.glob("*.key"))
        for _, sealed in self._open.values():
            self._spare.pop(sealed.key, None)

    def refill(self) -> bool:
        """Make one spare key, durably, if some are missing; whether there is more to do. Call it when idle."""
        if len(self._spare) < SPARE_KEYS:
            name = secrets.token_hex(16)
            write_durably(self._keys / f"{name}.key", secrets.token_bytes(KEY_BYTES))
            self._spare[name] = None
        return self.spare_wanted

    @property
    def spare_wanted(self) -> bool:
        """Whether fewer keys are ready than should be."""
        return len(self._spare) < SPARE_KEYS

    def seal(self, case: Case, now: Instant) -> SealedCase:
        """Seal a case under a spare key. The key is taken with `opened`, after the entry is durable.

        Raises:
            Malformed: The case is longer than 16 KiB.
            StorageFull, StorageFault: There was no spare key and none could be made.
        """
        content = pack(case)
        if len(content) > CASE_BYTES_MAX:
            raise Malformed("case", f"{len(content)} bytes, at most {CASE_BYTES_MAX}")
        if not self._spare:
            self.refill()
        key_name = next(iter(self._spare))
        nonce = secrets.token_bytes(12)
        ciphertext = ChaCha20Poly1305(self._key(key_name)).encrypt(nonce, content, case.of.encode("ascii"))
        return SealedCase(of=case.of, key=key_name, nonce=nonce, ciphertext=ciphertext, opened=now)

    def opened(self, case: Case, sealed: SealedCase) -> None:
        """The entry that opens this case is durable."""
        self._spare.pop(sealed.key, None)
        self._open[case.of] = (case, sealed)

    def closed(self, of: str) -> None:
        """The entry that closes this case is durable: show it no more."""
        self._open.pop(of, None)

    def write(self, sealed: SealedCase) -> Path | None:
        """Publish a case from its frame; None when it is over (its key is gone)."""
        if not self._key_path(sealed.key).exists():
            return None
        path = self._cases / f"{sealed.of}.case"
        replace_file(path, pack(sealed), mode=0o600)
        self._adopt(sealed)
        return path

    def destroy(self, of: str) -> None:
        """Publish a closing: overwrite and remove the key, then remove the case. Repeating it does nothing."""
        path = self._cases / f"{of}.case"
        with storage("destroying a case's key"):
            with contextlib.suppress(FileNotFoundError, Malformed):
                sealed: SealedCase = parse(path.read_bytes(), SealedCase, what="case", bytes_max=2 * CASE_BYTES_MAX)
                self._destroy_key(self._key_path(sealed.key))
                self._spare.pop(sealed.key, None)
            path.unlink(missing_ok=True)
        self._open.pop(of, None)

    def find(self, of: str) -> Case | None:
        """The open case about this record."""
        case, _ = self._open.get(of, (None, None))
        return case

    def newest(self) -> tuple[Case, ...]:
        """Open cases, the newest first, as many as one answer holds."""
        cases: list[Case] = []
        size = 0
        for case, sealed in sorted(self._open.values(), key=_opened_ms, reverse=True)[:CASES_MAX]:
            size += len(sealed.ciphertext)
            if size > CASES_IN_ANSWER_BYTES_MAX:
                break
            cases.append(case)
        return tuple(cases)

    def overdue(self, now: Instant) -> str | None:
        """A case that is too old, or one too many: its record; None when there is none."""
        oldest = min(self._open.values(), key=_opened_ms, default=None)
        if oldest is not None and len(self._open) > CASES_MAX:
            return oldest[0].of
        return next((of for of, (_, sealed) in self._open.items() if age_ms(sealed.opened, now) > CASE_MS_MAX), None)

    def _adopt(self, sealed: SealedCase) -> None:
        with contextlib.suppress(OSError, InvalidTag, Malformed):
            plaintext = ChaCha20Poly1305(self._key(sealed.key)).decrypt(
                sealed.nonce, sealed.ciphertext, sealed.of.encode("ascii")
            )
            self.opened(parse(plaintext, Case, what="case", bytes_max=CASE_BYTES_MAX), sealed)

    def _key(self, name: str) -> bytes:
        return self._key_path(name).read_bytes()

    def _key_path(self, name: str) -> Path:
        return self._keys / f"{name}.key"

    def _destroy_key(self, path: Path) -> None:
        """Zeros over the key first: on storage that writes in place nothing of it stays."""
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, bytes(KEY_BYTES), 0)
            os.fdatasync(fd)
        finally:
            os.close(fd)
        path.unlink()
        sync_folder(self._keys)


def _opened_ms(pair: tuple[Case, SealedCase]) -> int:
    """When the recorder opened it: what a booth says of the time decides nothing about other cases."""
    return pair[1].opened.wall_ms


def age_ms(opened: Instant, now: Instant) -> int:
    """How old, by the best evidence: the boot clock within one boot, else the claimed or the proven difference."""
    if opened.boot_id == now.boot_id:
        return now.boot_ms - opened.boot_ms
    return max(now.wall_ms - opened.wall_ms, now.lower_bound_ms - max(opened.wall_ms, opened.lower_bound_ms))
