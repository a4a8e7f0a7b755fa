"""landlink-box's verbs: each is one process with one privilege (systemd/README.md) or one question of a technician.

A verb's parser has a default `run`, which takes the configuration and the arguments and returns the exit code. What it
needs is imported when it runs: a process carries no more than it does.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance import wiring
from appliance.command import Verbs, whole_number
from appliance.config import Config, config_sha256

SERVED: Final = """
systemd starts it ({name}.service, with its one privilege: systemd/README.md) and stops it with SIGTERM. Started by
hand it runs until Ctrl-C, and writes what a technician must know to standard error.
Example: systemctl status {name}.service
"""
RECORDER: Final = "Commit, encrypt, sign and log every record; the one process that has the box's keys."
RELEASES: Final = "Verify what headquarters publishes, and switch to it whole: lists, recipients of records, rules."
BOOTH: Final = "Work the lane: scanner, camera, lamps and buttons, and the officer's page (address: box.toml, [page])."
UPLINK: Final = "Deliver records and fetch releases whenever there is a link; read sticks of headquarters."
AUDIT: Final = """\
Serve the log and sealed bodies to headquarters' auditor over mutual TLS (address and bytes a second: box.toml,
[audit]). It serves only where audit.service is enabled, and it writes nothing."""

SEAL: Final = """\
Make the keys that this box's secrets are sealed under, and keep them, and a token's PIN, as encrypted credentials of
systemd in /etc/credstore.encrypted. As root, and before `request`: no secret then ever lies open on the card. Doing it
again with another --with-key keeps the keys and wraps them anew. --out keeps them in another folder, from where they
are copied: only this machine opens them. Keys that the box has already are the ones that are kept there, too.

Example: landlink-box seal --with-key tpm2
         landlink-box seal --with-key tpm2 --out /mnt/new-card/etc/credstore.encrypted
         printf 1234 | landlink-box seal --pin -
"""
REQUEST: Final = """\
Make what is missing of this box's keys, on the box, and write its enrolment request to FILE: public halves alone, at
most 32 KiB. Keys that are there are used, never replaced; asking again is harmless. The fingerprint that is printed is
compared at headquarters (`landlink-hq issue`).

Example: landlink-box request --out /media/stick/la-0001.request
"""
ACCEPT: Final = """\
Verify headquarters' answer and install it: its root of trust, this box's certificates, the collector's address. FOLDER
is what `landlink-hq issue --out` wrote. Nothing is kept of an answer that does not hold. The fingerprint that is
printed is compared with the one that headquarters printed.

Example: landlink-box accept /media/stick/la-0001.answer
"""
STATUS: Final = """\
Print what each process last said of itself: release and lists with their dates, records that headquarters has and has
not, the link, the keys. It is no evidence; that is the log. A line with LOOK INTO needs somebody. Writes nothing.

Exit code 1, with --check: a process is silent, or there is a line with LOOK INTO.
Example: landlink-box status --check || mail -s "$(hostname)" duty
"""
DISK: Final = """\
Print what takes how much of the disk, in bytes, and in how many days pictures and then records would be refused at the
rate of the last days. Writes nothing; what headquarters has acknowledged is deleted by the recorder, in time.

Example: landlink-box disk
"""
CHECK: Final = """\
Find out which scanner answers at a port, and which lines of box.toml it needs. Nothing is changed, and no document's
text is printed. A running booth is not disturbed: the port is then held.

Exit code 1: it answers otherwise than box.toml says. 69: nothing is there, another process holds it, or nothing that
we know answered.
Example: landlink-box check --scanner /dev/ttyACM0 --listen 30
"""
EXPORT: Final = """\
Write the whole log, and the sealed bodies that headquarters has not acknowledged, onto a stick, and read all of it
back. The log says so first, so the recorder must be running. A stick that was pulled out half-way goes on where it was.

Example: landlink-box export /media/stick         then, at headquarters: landlink-hq pull /media/stick
"""

Run = Callable[[Config, argparse.Namespace], int]


def add_verbs(verbs: Verbs) -> None:
    """Add every verb to landlink-box."""
    _add_process(verbs, "recorder", "commit, encrypt, sign and log records; keeps the keys", RECORDER, _recorder)
    _add_process(verbs, "releases", "verify what headquarters publishes and switch to it", RELEASES, _releases)
    _add_process(verbs, "booth", "the lane: scanner, camera, lamps and the officer's page", BOOTH, _booth)
    _add_process(verbs, "uplink", "deliver records and fetch releases whenever there is a link", UPLINK, _uplink)
    _add_process(verbs, "audit", "serve the log to headquarters' auditor (off by default)", AUDIT, _audit)
    _add_seal(verbs)
    _add_request(verbs)
    _add_accept(verbs)
    _add_status(verbs)
    _add(verbs, "disk", "what takes how much of the disk, and how long there is room", DISK, _disk)
    _add_check(verbs)
    _add_export(verbs)


def _add(verbs: Verbs, name: str, words: str, description: str, run: Run) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=description)
    verb.set_defaults(run=run)
    return verb


# --- processes --------------------------------------------------------------------------------------------------------


def _add_process(verbs: Verbs, name: str, words: str, description: str, run: Run) -> None:
    _add(verbs, name, words, description + SERVED.format(name=name), run)


def _recorder(config: Config, arguments: argparse.Namespace) -> int:
    wiring.recorder(config, config_sha256=config_sha256(arguments.config))
    return 0


def _releases(config: Config, _arguments: argparse.Namespace) -> int:
    wiring.releases(config)
    return 0


def _booth(config: Config, _arguments: argparse.Namespace) -> int:
    wiring.booth(config)
    return 0


def _uplink(config: Config, _arguments: argparse.Namespace) -> int:
    wiring.uplink(config)
    return 0


def _audit(config: Config, _arguments: argparse.Namespace) -> int:
    wiring.audit(config)
    return 0


# --- questions of a technician ----------------------------------------------------------------------------------------


def _add_seal(verbs: Verbs) -> None:
    verb = _add(verbs, "seal", "give this box the keys that its secrets are sealed under; before request", SEAL, _seal)
    verb.add_argument(
        "--with-key",
        choices=("auto", "host", "tpm2", "host+tpm2"),
        default="auto",
        help="as systemd-creds has it; host lies on this card, tpm2 does not (%(default)s: with a TPM if there is one)",
    )
    verb.add_argument(
        "--pin", type=Path, metavar="FILE", help="a file with the token's PIN; - is standard input (the one it has)"
    )
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="keep them there (/etc/credstore.encrypted)")


def _seal(config: Config, arguments: argparse.Namespace) -> int:
    print(wiring.seal(config, with_key=arguments.with_key, pin=arguments.pin, out=arguments.out))
    return 0


def _add_request(verbs: Verbs) -> None:
    verb = _add(verbs, "request", "make this box's keys and write the enrolment request", REQUEST, _request)
    verb.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it; is written over")


def _request(config: Config, arguments: argparse.Namespace) -> int:
    print(wiring.request(config, out=arguments.out))
    return 0


def _add_accept(verbs: Verbs) -> None:
    verb = _add(verbs, "accept", "take headquarters' answer to the request", ACCEPT, _accept)
    verb.add_argument("answer", type=Path, metavar="FOLDER", help="the answer that headquarters gave")


def _accept(config: Config, arguments: argparse.Namespace) -> int:
    print(wiring.accept(config, answer=arguments.answer))
    return 0


def _add_status(verbs: Verbs) -> None:
    verb = _add(verbs, "status", "what each process last said of itself", STATUS, _status)
    verb.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    verb.add_argument("--check", action="store_true", help="exit code 1 where somebody has to look into something")


def _status(config: Config, arguments: argparse.Namespace) -> int:
    words, well = wiring.status(config, as_json=arguments.json)
    print(words)
    return int(arguments.check and not well)


def _disk(config: Config, _arguments: argparse.Namespace) -> int:
    print(wiring.disk(config))
    return 0


def _add_check(verbs: Verbs) -> None:
    verb = _add(verbs, "check", "which scanner answers at a port, and what box.toml needs for it", CHECK, _check)
    verb.add_argument(
        "--scanner",
        nargs="?",
        const="",
        required=True,
        metavar="PORT",
        help="the port of a document scanner; without PORT the one of box.toml",
    )
    verb.add_argument(
        "--listen",
        type=whole_number("seconds", least=0, most=600),
        default=15,
        metavar="SECONDS",
        help="how long to wait for a document (%(default)s)",
    )


def _check(config: Config, arguments: argparse.Namespace) -> int:
    agrees = wiring.check_scanner(config, port=arguments.scanner, listen_s=float(arguments.listen), tell=_tell)
    return int(not agrees)


def _tell(words: str) -> None:
    print(words, flush=True)


def _add_export(verbs: Verbs) -> None:
    verb = _add(verbs, "export", "write the log and sealed bodies onto a stick for headquarters", EXPORT, _export)
    verb.add_argument("stick", type=Path, metavar="FOLDER", help="where the stick is mounted")
    verb.add_argument(
        "--since",
        type=whole_number("an entry", least=0, most=10**12 - 1),
        default=0,
        metavar="ENTRY",
        help="bodies from this entry of the log on (%(default)s)",
    )
    verb.add_argument("--all", action="store_true", help="bodies that headquarters has acknowledged, too")


def _export(config: Config, arguments: argparse.Namespace) -> int:
    print(wiring.export(config, stick=arguments.stick, since=arguments.since, everything=arguments.all))
    return 0
