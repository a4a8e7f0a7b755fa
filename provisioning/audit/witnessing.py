"""Asking the witnesses of a policy for their cosignatures on what was pulled (C2SP tlog-witness, the log's side).

A witness is shown the checkpoint that is kept, with the proof that it grew from the one that it cosigned last. What it
answers is verified before it is kept. One that refuses the proof has seen another tree of this log: that is an alarm.
"""

import http
import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from appliance.errors import ConfigError, Malformed, Untrusted, UplinkFault
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.merkle import consistency_proof
from appliance.formats.note import NOTE_BYTES_MAX, SIGNATURES_MAX, Verifier, open_note, with_signatures_of
from appliance.formats.tiles import TileNodes
from provisioning.audit.log import Problem, Trust
from provisioning.audit.store import PulledLog
from provisioning.witness.add_checkpoint import AddCheckpoint, encode_add_checkpoint
from provisioning.witness.policy import Witness

TIMEOUT_S: Final = 30.0
ASKED_MAX: Final = 3
"""Times: the first with what we believe that it saw last, then with what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A witness's answer; `body` is bounded."""

    status: int
    body: bytes


def require_quorum(kept: PulledLog, trust: Trust) -> list[Problem]:
    """Ask those witnesses of the policy that have an address and have not signed yet; say what is missing then.

    Raises:
        StorageFull, StorageFault: A cosignature could not be kept.
    """
    policy = trust.policy
    if policy is None or kept.note() is None:
        return []
    alarms: list[Problem] = []
    silent: list[Problem] = []
    for name, witness in policy.witnesses.items():
        if not witness.url or witness.verifier in _signed(kept, trust):
            continue
        shown = name.decode("utf-8", "replace")
        try:
            _ask(kept, witness)
        except (Untrusted, Malformed) as error:
            alarms.append(_problem(kept, f"witness {shown}: {error}"))
        except (UplinkFault, ConfigError) as error:
            silent.append(_problem(kept, f"witness {shown}: {error}"))
    try:
        policy.require(kept.log.verifier, _signed(kept, trust))
    except Untrusted as error:
        return [*alarms, *silent, _problem(kept, str(error))]
    return alarms  # a quorum without those that are silent is a quorum


def request_for(kept: PulledLog, old_size: int) -> AddCheckpoint:
    """What a witness that saw `old_size` entries last is to be shown.

    Raises:
        Untrusted: It has seen more than is kept; or there is no checkpoint.
        Malformed, StorageFault: What is kept cannot be read.
    """
    checkpoint, note = kept.checkpoint(), kept.note()
    assert note is not None, "it has just been opened"
    if old_size > checkpoint.size:
        raise Untrusted(f"it has seen {old_size} entries of this log, here are {checkpoint.size}: pull first")
    return AddCheckpoint(old_size=old_size, proof=_proof(kept, checkpoint, old_size), note=note)


def keep_cosignatures(kept: PulledLog, lines: bytes, verifiers: tuple[Verifier, ...]) -> int:
    """Keep those of a witness's signature lines that one of these keys made over the checkpoint that is kept.

    Returns:
        How many.

    Raises:
        Untrusted: None of them is; or one by a known key does not hold.
        Malformed: They are no signature lines.
        StorageFull, StorageFault: They could not be kept.
    """
    note = kept.note()
    if note is None:
        raise Untrusted("its copy has no checkpoint")
    text = note.partition(b"\n\n")[0]
    if lines.count(b"\n") > SIGNATURES_MAX:
        raise Malformed("cosignatures", f"more than {SIGNATURES_MAX}")
    cosigned = text + b"\n\n" + lines
    opened = open_note(cosigned, verifiers)
    kept.merge_signatures(with_signatures_of(cosigned, verifiers))
    return len(opened.signatures)


def _signed(kept: PulledLog, trust: Trust) -> set[Verifier]:
    _, opened = kept.open_checkpoint(*trust.notes)
    return {signature.verifier for signature in opened.signatures}


def _ask(kept: PulledLog, witness: Witness) -> None:
    """Raises Untrusted, Malformed, UplinkFault, ConfigError."""
    old_size = 0
    for _ in range(ASKED_MAX):
        answer = _post(witness.url, encode_add_checkpoint(request_for(kept, old_size)))
        if answer.status == http.HTTPStatus.CONFLICT:
            old_size = _size(answer.body)
            continue
        if answer.status == http.HTTPStatus.UNPROCESSABLE_ENTITY:
            raise Untrusted(f"{witness.url} has seen another tree of this log: what it holds and this are a fork")
        if answer.status != http.HTTPStatus.OK:
            raise UplinkFault(f"{witness.url} answered {answer.status}")
        keep_cosignatures(kept, answer.body, (witness.verifier,))
        return
    raise UplinkFault(f"{witness.url} names another size each time")


def _post(url: str, body: bytes) -> Answered:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{url}: not an address of the form https://HOST/PATH")
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/add-checkpoint", body=body)
        response = connection.getresponse()
        return Answered(status=response.status, body=response.read(NOTE_BYTES_MAX))
    except (OSError, http.client.HTTPException) as error:
        raise UplinkFault(f"{url} does not answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _size(body: bytes) -> int:
    text = body.decode("ascii", "replace").removesuffix("\n")
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise Malformed("witness's answer", "409 without the size that it has seen")
    return int(text)


def _proof(kept: PulledLog, checkpoint: Checkpoint, old_size: int) -> tuple[bytes, ...]:
    if old_size in (0, checkpoint.size):
        return ()
    return consistency_proof(old_size, checkpoint.size, TileNodes(checkpoint.size, kept.tile))


def _problem(kept: PulledLog, words: str) -> Problem:
    return Problem(origin=kept.log.origin, index=None, words=words)
