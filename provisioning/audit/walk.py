"""The walk along a log: each leaf's statement verified under the epoch key that is valid at its index.

Rules (formats/README.md, "Statement"): leaf 0 starts an epoch; an epoch's first leaf carries its certificate by the
box's identity key and is signed by the key inside; every later leaf is signed by that key until the next epoch starts;
every statement names this log, this epoch and this mode. So a key that is stolen later signs nothing earlier.
"""

from collections.abc import Iterator, Sequence

from appliance.errors import Malformed, Untrusted
from appliance.formats.identity import EpochCertificate
from appliance.formats.statement import (
    EpochStart,
    SignedStatement,
    Statement,
    parse_statement,
    verify_epoch_start,
    verify_statement,
)
from provisioning.audit.log import Log


class Walk:
    """Takes the leaves of one log in order, from any start of an epoch, and gives verified statements."""

    def __init__(self, log: Log, *, start: int = 0) -> None:
        self._log = log
        self._index = start
        self._epoch: EpochCertificate | None = None

    def take(self, leaf: bytes) -> Statement:
        """Verify the next leaf. The walk goes on after an error: the next leaf is the next index.

        Raises:
            Malformed: It is no statement.
            Untrusted: Wrong key, log, epoch or mode.
        """
        (statement,) = self.take_all((leaf,))
        if isinstance(statement, (Malformed, Untrusted)):
            raise statement
        return statement

    def take_all(self, leaves: Sequence[bytes]) -> Iterator[Statement | Malformed | Untrusted]:
        """Verify the next leaves, in order: the statement of each, or why it is none.

        All are parsed before the first is verified, a bundle at a time at most: parsing between one signature and the
        next takes half as long again, since the one pushes the other out of the processor's cache.
        """
        for signed in [_parsed(leaf) for leaf in leaves]:
            index = self._index
            self._index += 1
            if isinstance(signed, Malformed):
                yield signed
                continue
            try:
                yield self._verified(signed, index)
            except (Malformed, Untrusted) as error:
                yield error

    def _verified(self, signed: SignedStatement, index: int) -> Statement:
        if isinstance(signed.unverified.kind, EpochStart):
            self._start_epoch(signed, index)
        if self._epoch is None:
            raise Untrusted("no epoch has started before it: nobody certified the key that signed it")
        statement = verify_statement(signed, self._epoch.public)
        if statement.origin != self._log.origin:
            raise Untrusted(f"signed for another log ({statement.origin})")
        if statement.mode is not self._log.mode:
            raise Untrusted(f"of mode {statement.mode}, this log is {self._log.mode}")
        if statement.epoch != self._epoch.epoch:
            raise Untrusted(f"of epoch {statement.epoch}, valid here is {self._epoch.epoch}")
        return statement

    def _start_epoch(self, signed: SignedStatement, index: int) -> None:
        certificate = verify_epoch_start(signed, self._log.box.identity_der)
        if certificate.origin != self._log.origin:
            raise Untrusted(f"its certificate is for another log ({certificate.origin})")
        if certificate.mode is not self._log.mode:
            raise Untrusted(f"its certificate is of mode {certificate.mode}, this log is {self._log.mode}")
        if certificate.first_index != index:
            raise Untrusted(f"its certificate is for an epoch that starts at entry {certificate.first_index}")
        if self._epoch is not None and certificate.epoch <= self._epoch.epoch:
            raise Untrusted(f"its certificate is for epoch {certificate.epoch}, which is past")
        self._epoch = certificate


def _parsed(leaf: bytes) -> SignedStatement | Malformed:
    try:
        return parse_statement(leaf)
    except Malformed as error:
        return error
