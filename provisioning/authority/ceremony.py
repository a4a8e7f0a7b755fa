"""What keys of three persons sign, from its beginning to its publication, on one machine or on several.

On one machine two persons have their media in: it is drafted, signed with these keys and published at once. On several
it is drafted into a folder (session.py) that goes from one holder to the other; headquarters publishes it when enough
have signed. What is published, and how, is the same.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import SSlibKey

from appliance.command import named
from appliance.errors import ConfigError, Malformed, Misuse, Refused, Untrusted
from appliance.files import open_regular, write_durably
from appliance.formats.enrolment import fingerprint
from appliance.formats.release import RECIPIENTS_TARGET, ROSTER_TARGET, encode_recipients, encode_roster, parse_roster
from provisioning.authority.enrolment import propose_enrolment, read_request
from provisioning.authority.home import Home
from provisioning.authority.identities import identity_file
from provisioning.authority.online_keys import ONLINE_KEYS, propose_online, settle
from provisioning.authority.proposal import Proposal, propose
from provisioning.authority.published import Published
from provisioning.authority.recipients import FIELDS, following_recipients, next_recipient, read_recipient
from provisioning.authority.replace_key import REPLACEABLE
from provisioning.authority.repository import Repository
from provisioning.authority.roles import OF_PERSONS
from provisioning.authority.roster import read_roster, without
from provisioning.authority.session import Session, lacking_words, read_session, write_session
from provisioning.authority.signing import sign_here
from provisioning.authority.upgrade import propose_upgrade, tell_boxes

ROTATE: Final = "rotate"
REPLACE: Final = "replace-key"
REVOKE: Final = "revoke"
RENEW: Final = "renew"
ENROL: Final = "enrol"
UPGRADE: Final = "upgrade"
ACTS: Final = (ROTATE, REPLACE, REVOKE, RENEW, ENROL, UPGRADE)
ROSTER_BEFORE: Final = "base/roster.target"
PUBLIC_CHARACTERS: Final = 64
_PUBLIC: Final = re.compile(rb"[0-9a-f]{64}")


def draft(home: Home, act: str, name: str, public: Path | None, *, at_ms: int) -> Proposal:
    """Draft an act.

    Args:
        home: Headquarters.
        act: One of ACTS.
        name: What of: a key that records are sealed to or an online key, a key of persons, a box; "" to renew.
        public: File with the public half of the key that follows, made where it belongs; a box's request.
        at_ms: When, milliseconds since 1970.

    Raises:
        Misuse: The act has no such name, or needs a public half, or takes none.
        Refused, ConfigError, Malformed, NoInput: As each act has it.
    """
    at, published = datetime.fromtimestamp(at_ms // 1000, UTC), Published(home.folder)
    match act, name, public:
        case ("rotate", _, _) if name in FIELDS:
            recipient = read_recipient(public) if public is not None else _recipient_made_here(home, name)
            following = encode_recipients(following_recipients(home, name, recipient))
            return propose(published, contents={RECIPIENTS_TARGET: following}, at=at)
        case ("rotate", _, None) if name in ONLINE_KEYS:
            return propose_online(home, name, at=at)
        case ("replace-key", _, Path()) if name in REPLACEABLE:
            return propose(published, replaced={name: _public_key(public)}, at=at)
        case ("revoke", _, None) if name:
            following = encode_roster(without(read_roster(home), name, at_ms=at_ms))
            return propose(published, contents={ROSTER_TARGET: following}, at=at)
        case ("enrol", _, Path()) | ("upgrade", "", None):
            if public is None:
                proposal = propose_upgrade(home, at_ms=at_ms)
            else:
                proposal = propose_enrolment(home, read_request(public), serial=name or None, at_ms=at_ms)
            return proposal
        case ("renew", "", None):
            return propose(published, renewed=OF_PERSONS, at=at)
        case _:
            asked = f"{act} {name}".strip()
            raise Misuse(
                f"{asked}: it is rotate {'|'.join((*FIELDS, *ONLINE_KEYS))}, replace-key "
                f"{'|'.join(REPLACEABLE)} --public FILE, revoke SERIAL, enrol [SERIAL] --request FILE, upgrade, renew"
            )


def act_here(home: Home, act: str, name: str, *, at_ms: int) -> Proposal:
    """Draft an act, sign it with the keys that are here, and publish it; done again, it goes on.

    Raises:
        ConfigError: Two of three keys are not here.
        Refused, StorageFull, StorageFault: As `conclude`.
    """
    proposal = draft(home, act, name, None, at_ms=at_ms)
    sign_here(proposal, home.keys)
    conclude(home, proposal, at_ms=at_ms)
    return proposal


def begin(home: Home, folder: Path, act: str, name: str, public: Path | None, *, at_ms: int) -> Session:
    """Draft an act into a new folder. Raises as `draft` and `write_session`."""
    proposal = draft(home, act, name, public, at_ms=at_ms)
    published, settings = Published(home.folder), home.settings
    words = f"{act} {name}".strip()
    write_session(folder, published, proposal, domain=settings.domain, mode=settings.mode, act=words, at_ms=at_ms)
    return read_session(folder, root=fingerprint(published.root()))


def finish(home: Home, folder: Path, *, at_ms: int) -> Session:
    """Publish what a session's holders have signed; done again after an interruption, it goes on.

    Raises:
        Untrusted: It is of another headquarters or was altered.
        Refused: Signatures are lacking, and whose; or something else was signed since it was begun.
        ConfigError, Malformed, NoInput, StorageFull, StorageFault: Boxes see what they saw, or all of it.
    """
    published = Published(home.folder)
    session = read_session(folder, root=fingerprint(published.root()))
    home.admit(session.header.mode, "the session")
    for name, data in session.base.items():
        role = name.partition("/")[2]
        if role.endswith(".json") and data != _here(published, role, session.proposal):
            raise Untrusted(f"{name} is not what this headquarters has published")
    if lacking := lacking_words(session):
        raise Refused(f"signatures are lacking; {'; '.join(lacking)}. Next: landlink-hq ceremony sign, at a holder's")
    conclude(home, session.proposal, at_ms=at_ms)
    if session.header.act == UPGRADE:
        tell_boxes(home, parse_roster(session.base[ROSTER_BEFORE]), read_roster(home), at_ms=at_ms)
    return session


def conclude(home: Home, proposal: Proposal, *, at_ms: int) -> None:
    """Publish a proposal that is signed, and what goes with it: the roster's master copy, online keys in their places.

    Raises:
        Untrusted: It is not signed by enough keys.
        Refused: Something else was signed since it was drafted, or the clock is behind the last release.
        ConfigError, StorageFull, StorageFault: Do it again.
    """
    proposal.check()
    if (encoded := proposal.contents.get(ROSTER_TARGET)) is not None:
        present, following = read_roster(home), parse_roster(encoded)
        if present != following and present.version != following.version - 1:
            raise Refused(f"the roster was changed to {present.version} since this was begun; begin it anew")
        write_durably(home.roster_file, encoded, mode=0o644)
    Repository(home.folder).enact(proposal, at_ms=at_ms)
    settle(home)


def _here(published: Published, name: str, proposal: Proposal) -> bytes | None:
    """What this headquarters has in place of a session's file of what was in force."""
    role = name.removesuffix(".json")
    versions = {"targets": proposal.top.version}
    versions |= {
        each: draft.signed.version - 1 for each, draft in proposal.drafts.items() if each in ("recipients", "roster")
    }
    try:
        return published.read(f"{versions[role]}.{name}" if role in versions else name)
    except ConfigError:
        return None


def _recipient_made_here(home: Home, name: str) -> str:
    path = identity_file(home.folder, name)
    if not path.exists():
        raise Misuse(
            f"{path.name} is not here: where it belongs, landlink-hq rotate {name} --out FILE; then --public FILE"
        )
    return next_recipient(home, name)


def _public_key(path: Path) -> SSlibKey:
    """A public key that its holder made (`make-key`), in hexadecimal. Raises NoInput, Malformed."""
    with named(path), open_regular(path) as file:
        text = file.read(PUBLIC_CHARACTERS + 2).strip()
    if not _PUBLIC.fullmatch(text):
        raise Malformed(path.name, f"no public key of {PUBLIC_CHARACTERS} hexadecimal digits")
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.decode("ascii"))))
