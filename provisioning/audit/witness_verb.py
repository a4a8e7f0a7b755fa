"""What `landlink-hq witness` does: be a witness for another authority's logs, or carry cosignatures for our own."""

import argparse
import http
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.command import Verbs, named, whole_number
from appliance.errors import ConfigError, Refused, Untrusted
from appliance.files import read_regular
from appliance.formats.note import NOTE_BYTES_MAX, Ed25519Cosigner, MlDsa44Cosigner, Signer
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44
from provisioning.audit.log import Log, logs_of, policy_of
from provisioning.audit.store import PulledLog
from provisioning.audit.witnessing import keep_cosignatures, request_for
from provisioning.authority.home import Home
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from provisioning.authority.roster import read_roster
from provisioning.command import now_ms
from provisioning.witness.add_checkpoint import REQUEST_BYTES_MAX, encode_add_checkpoint
from provisioning.witness.policy import read_policy
from provisioning.witness.witness import Answer, Witness

FOLDER: Final = "witness"
LOGS: Final = "logs"

WITNESS: Final = """\
Be a witness (C2SP tlog-witness) of another authority's logs. FOLDER/witness/logs names them, a line `log VKEY` each,
and ends in `quorum none` (C2SP tlog-policy). REQUEST is an add-checkpoint request in a file, or - for standard input;
the cosignatures go to standard output. With --listen, requests come over HTTP: POST /add-checkpoint; put TLS in front
of it. What only grew since it was cosigned last is cosigned; another tree is refused, and the request is kept in
FOLDER/witness/evidence.

For our own logs and a witness without a network: --ask LOG writes the request to standard output, --take LOG reads the
witness's answer from REQUEST and keeps what the policy's keys signed.

Exit code 76: refused, since it does not follow from what was cosigned. 65: no request.
Example: landlink-hq witness request.txt > cosignatures.txt
"""

_CODES: Final = {
    http.HTTPStatus.BAD_REQUEST: 65,
    http.HTTPStatus.NOT_FOUND: Refused.exit_code,
    http.HTTPStatus.FORBIDDEN: Untrusted.exit_code,
    http.HTTPStatus.CONFLICT: Untrusted.exit_code,
    http.HTTPStatus.UNPROCESSABLE_ENTITY: Untrusted.exit_code,
}


def add_witness_verb(verbs: Verbs) -> None:
    """Add `witness` to landlink-hq."""
    verb = verbs.add_parser("witness", help="cosign another authority's logs; carry cosignatures", description=WITNESS)
    verb.add_argument("request", nargs="?", default="-", metavar="REQUEST", help="a file; - is standard input (-)")
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--listen", metavar="HOST:PORT", help="answer over HTTP until ended")
    what.add_argument("--ask", metavar="LOG", help="write the request for a witness of this log of ours")
    what.add_argument("--take", metavar="LOG", help="keep a witness's answer about this log of ours")
    verb.add_argument(
        "--old",
        type=whole_number("entries", least=0, most=10**12),
        default=0,
        metavar="N",
        help="with --ask: entries that the witness saw last (0)",
    )
    verb.add_argument(
        "--policy", type=Path, metavar="FILE", help="with --take: the policy (witness.policy of the home)"
    )
    verb.set_defaults(run=_witness)


def _witness(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    if arguments.ask:
        request = request_for(_kept(home, arguments.ask), arguments.old)
        sys.stdout.buffer.write(encode_add_checkpoint(request))
        return 0
    if arguments.take:
        return _take(home, arguments)
    witness = own_witness(home)
    if arguments.listen:
        from provisioning.witness.server import serve  # noqa: PLC0415 - uvicorn only for who serves

        serve(witness, arguments.listen)
        return 0
    return _tell(witness.add_checkpoint(_read(arguments.request, REQUEST_BYTES_MAX)))


def _tell(answer: Answer) -> int:
    if answer.status is http.HTTPStatus.OK:
        sys.stdout.buffer.write(answer.body)
        return 0
    words = answer.body.decode("utf-8", "replace").strip()
    if answer.status is http.HTTPStatus.CONFLICT:
        words = f"this witness cosigned {words} entries of the log last; the request begins elsewhere"
    print(f"refused ({answer.status.value}): {words}", file=sys.stderr)
    return _CODES[answer.status]


def _take(home: Home, arguments: argparse.Namespace) -> int:
    policy = policy_of(home, arguments.policy)
    if policy is None:
        raise ConfigError(f"{home.folder}: no policy names a witness; write witness.policy, or give --policy FILE")
    taken = keep_cosignatures(_kept(home, arguments.take), _read(arguments.request, NOTE_BYTES_MAX), policy.verifiers)
    print(f"{arguments.take}: {taken} cosignature{'s' if taken > 1 else ''} kept")
    return 0


def own_witness(home: Home) -> Witness:
    """Headquarters as a witness, with the logs that its folder names. Raises ConfigError, Malformed."""
    place = home.folder / FOLDER / LOGS
    logs = read_policy(place).logs if place.exists() else ()
    if not logs:
        raise ConfigError(
            f"{place} names no log that this witness may cosign; write a line `log VKEY` for each, as its authority "
            "gave it, and `quorum none` below them"
        )
    name = cosigner_name(home.settings.domain)
    ed25519, mldsa44 = load_ed25519(home.key(COSIGN_ED25519)), load_mldsa44(home.key(COSIGN_MLDSA44))

    def signers() -> Sequence[Signer]:
        at_s = now_ms() // 1_000
        return Ed25519Cosigner(name, ed25519, at_s=at_s), MlDsa44Cosigner(name, mldsa44, at_s=at_s)

    return Witness(home.folder / FOLDER, logs, signers)


def _kept(home: Home, origin: str) -> PulledLog:
    known: tuple[Log, ...] = logs_of(home, read_roster(home), None)
    log = next((log for log in known if log.origin == origin), None)
    if log is None:
        raise Refused(f"{origin} is no log of an enrolled box; `landlink-hq boxes` names them")
    return PulledLog(log, home.pulled_log(origin))


def _read(name: str, bytes_max: int) -> bytes:
    """A file's bytes, or those of standard input; one too many stays in, for whoever parses them to refuse."""
    if name == "-":
        return sys.stdin.buffer.read(bytes_max + 1)
    with named(Path(name)):
        return read_regular(Path(name), bytes_max)
