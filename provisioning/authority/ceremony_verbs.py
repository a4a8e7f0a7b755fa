"""landlink-hq ceremony, make-key: what two of three persons sign on machines of their own."""

import argparse
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.command import Verbs
from appliance.errors import Misuse, Refused
from appliance.files import write_durably
from appliance.formats.enrolment import fingerprint
from provisioning.authority.ceremony import ACTS, ENROL, begin, finish
from provisioning.authority.enrolment import read_request
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.published import Published
from provisioning.authority.session import Session, check_counts, lacking_words, read_session, write_signatures
from provisioning.authority.signing import signer_of
from provisioning.authority.signings import last_signing
from provisioning.command import now_ms, say

CEREMONY: Final = """\
What two of three persons sign, each on a machine of their own. A folder goes from one to the other, on a stick:

  begin DIR WHAT [NAME]   at headquarters: what is to be signed, and the fingerprint of this session
  show DIR                anywhere: what will be signed, old -> new, verified from the first root on
  sign DIR --key FILE     at each holder's: the same, then that key's signature
  finish DIR              at headquarters: enough have signed; boxes get it

WHAT is `rotate record` (escrow, protection, or an online key: lists, policy, snapshot, timestamp, receipts,
cosign-ed25519, cosign-mldsa44, answers, directives, custody), `replace-key offline-2 --public FILE`, `revoke
SERIAL`, `enrol SERIAL --request FILE`, after which `issue FILE --out ANSWER` needs no offline key, `upgrade`, or
`renew`, which signs all again before it ends. No private key is ever in the folder. It may come back partly signed, and
go out again. `finish` may be done again after an interruption.

Example: landlink-hq ceremony begin /media/stick/session revoke LA-0001
         landlink-hq ceremony begin /media/stick/session enrol LA-0001 --request la-0001.request
"""
SHOW: Final = """\
Verify a session from the first root on, and show what it changes, old -> new, and who has signed. Nothing is written.
Where headquarters' home is not at hand, --root is its fingerprint as every box showed it when it was enrolled.

Example: landlink-hq ceremony show /media/stick/session --root "89ab cdef 0123 4567 89ab"
"""
FINISH: Final = """\
Verify that enough have signed, and publish it: all of it or nothing, also over a power cut. Boxes follow with their
next mirror. It may be done again after an interruption.

Example: landlink-hq ceremony finish /media/stick/session
"""
SIGN: Final = """\
Verify a session, show what it changes, and sign it with a holder's key, or with both of a root key and an offline key.
Headquarters tells the session's fingerprint by telephone: the stick says nothing of itself. Every box shows the
fingerprint of headquarters when it is enrolled; where headquarters' home is at hand, --root is not needed. A key that
the session replaces, or the one that follows it, is refused: neither counts.

Example: landlink-hq ceremony sign /media/stick/session --key offline-2.pem --session "0123 4567 89ab cdef 0123"
         --root "89ab cdef 0123 4567 89ab"
"""
MAKE: Final = """\
Make a signing key on its holder's own machine or medium, and its public half, which goes to headquarters for
`ceremony begin DIR replace-key NAME --public FILE`. Both persons compare the fingerprint.

Example: landlink-hq make-key /media/mine/offline-2.pem --public /media/stick/offline-2.pub
"""


def add_ceremony(verbs: Verbs) -> None:
    """Add the verbs to landlink-hq."""
    verb = verbs.add_parser("ceremony", help="two persons sign on machines of their own", description=CEREMONY)
    steps = verb.add_subparsers(dest="step", required=True, metavar="STEP")
    step = steps.add_parser("begin", help="at headquarters: what is to be signed", description=CEREMONY)
    step.add_argument("folder", type=Path, metavar="DIR", help="new folder")
    step.add_argument("act", choices=ACTS, metavar="WHAT", help=", ".join(ACTS))
    step.add_argument("name", nargs="?", default="", metavar="NAME", help="which key, or which box")
    half = step.add_mutually_exclusive_group()
    half.add_argument("--public", type=Path, metavar="FILE", help="public half of the key that follows")
    half.add_argument("--request", dest="public", type=Path, metavar="FILE", help="of the box that is enrolled")
    step.set_defaults(run=_begin)
    step = steps.add_parser("show", help="what will be signed", description=SHOW)
    _add_session(step)
    step.set_defaults(run=_show)
    step = steps.add_parser("sign", help="at a holder's: sign it", description=SIGN)
    _add_session(step)
    step.add_argument(
        "--key", type=Path, required=True, action="append", metavar="FILE", help="a private key of the holder's; again"
    )
    step.add_argument("--session", required=True, metavar="FINGERPRINT", help="as headquarters tells it")
    step.set_defaults(run=_sign)
    step = steps.add_parser("finish", help="at headquarters: publish it", description=FINISH)
    step.add_argument("folder", type=Path, metavar="DIR", help="the session")
    step.set_defaults(run=_finish)
    verb = verbs.add_parser("make-key", help="a signing key, at its holder's", description=MAKE)
    verb.add_argument("key", type=Path, metavar="FILE", help="new file for the private key")
    verb.add_argument("--public", type=Path, required=True, metavar="FILE", help="for its public half")
    verb.set_defaults(run=_make)


def _add_session(step: argparse.ArgumentParser) -> None:
    step.add_argument("folder", type=Path, metavar="DIR", help="the session")
    step.add_argument("--root", metavar="FINGERPRINT", help="of headquarters; by default that of --home")


def _begin(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    session = begin(home, arguments.folder, arguments.act, arguments.name, arguments.public, at_ms=now_ms())
    _tell(session)
    if arguments.act == ENROL:
        print(f"Fingerprint of the request: {fingerprint(read_request(arguments.public))}")
        print("  Compare it with the one that the box showed; if it differs, let nobody sign.")
    print("Next: each holder hears both fingerprints over another way, then, where the key is:")
    print("  landlink-hq ceremony sign DIR --key FILE --session FINGERPRINT --root FINGERPRINT")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    _tell(read_session(arguments.folder, root=_root(arguments)))
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    session = read_session(arguments.folder, root=_root(arguments))
    _tell(session)
    if _digits(arguments.session) != _digits(session.fingerprint):
        raise Refused(f"this is the session {session.fingerprint}, and not {arguments.session}: nothing was signed")
    signers = [signer_of(key) for key in arguments.key]
    for signer in signers:
        check_counts(session, signer.public_key.keyid)
    for signer in signers:
        again = session.names.get(signer.public_key.keyid) in session.signers
        roles = write_signatures(arguments.folder, session, signer)
        name = session.names[signer.public_key.keyid]
        print(f"{name} {'had signed already, and counts once' if again else 'signs'}: {', '.join(roles)}.")
    _tell_lacking(session)
    return 0


def _finish(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    session = finish(home, arguments.folder, at_ms=now_ms())
    say(f"{session.header.act}: published, boxes follow with their next mirror.")
    for line in session.words:
        say(f"  {line}")
    for role in session.proposal.drafts:
        print(f"Signed: {last_signing(home, role)}")
    if session.header.act.startswith(ENROL):
        print("Next: landlink-hq issue REQUEST --out ANSWER, with the same request; it needs no offline key now.")
    else:
        print("A collector or duty desk that runs goes on with a changed key when it is started anew.")
    return 0


def _make(arguments: argparse.Namespace) -> int:
    if arguments.key.exists() or arguments.key.is_symlink():
        raise Refused(f"{arguments.key} is there already; it is not written over: name another file")
    write_private_key(arguments.key, Ed25519PrivateKey.generate())
    public = load_ed25519(arguments.key).public_key().public_bytes_raw()
    write_durably(arguments.public, f"{public.hex()}\n".encode("ascii"), mode=0o644)
    print(f"{arguments.key} is a new key. Fingerprint of its public half: {fingerprint(public)}")
    print(
        f"Next: {arguments.public} goes to headquarters: landlink-hq ceremony begin DIR replace-key NAME --public FILE"
    )
    return 0


def _root(arguments: argparse.Namespace) -> str:
    if arguments.root is not None:
        _digits(arguments.root)
        return str(arguments.root)
    if not (arguments.home / "hq.json").exists():
        raise Misuse("headquarters' home is not here: name --root FINGERPRINT, as a box showed it, or --home FOLDER")
    return fingerprint(Published(Home.open(arguments.home).folder).root())


def _digits(text: str) -> str:
    digits = text.replace(" ", "").lower()
    if len(digits) != 20 or not set(digits) <= set("0123456789abcdef"):
        raise Misuse("a fingerprint has five groups of four of the signs 0-9 and a-f")
    return digits


def _tell(session: Session) -> None:
    header = session.header
    say(f"{header.act}, at {header.domain} ({header.mode})")
    for line in session.words:
        say(f"  {line}")
    print(f"Fingerprint of headquarters: {fingerprint(session.base['base/1.root.json'])}")
    print(f"Fingerprint of this session: {session.fingerprint}")
    print(f"Signed by: {', '.join(session.signers) or 'nobody yet'}")
    _tell_lacking(session)


def _tell_lacking(session: Session) -> None:
    lacking = lacking_words(session)
    print(f"Lacking: {'; '.join(lacking)}" if lacking else "Enough have signed. Next: landlink-hq ceremony finish DIR")
