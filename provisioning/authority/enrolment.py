"""`issue`: check a box's request and answer it.

A request proves that who sent it holds the identity key and the TLS key, and which log key and age recipient belong to
that identity. It does not prove that it came from the box with that label: two people compare its fingerprint, which
both commands print. The answer is bound in the same way: the box verifies everything in it down from the first root,
whose fingerprint both commands print too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.command import named
from appliance.errors import ConfigError, Refused
from appliance.files import copy_durably, open_regular, read_regular, storage, write_durably
from appliance.formats.cbor import pack, parse
from appliance.formats.downlink import FOLDER
from appliance.formats.enrolment import (
    REQUEST_BYTES_MAX,
    Answer,
    Request,
    audit_uri,
    box_uri,
    encode_answer,
    fingerprint,
    verify_request,
)
from appliance.formats.note import ED25519, Verifier
from appliance.formats.release import ROSTER_TARGET, Roster, RosterBox, encode_roster, parse_roster
from appliance.model import Noun
from provisioning.authority.box_keys import send_keys
from provisioning.authority.certificates import BOX_YEARS, Authority, requested_key, trusted_by
from provisioning.authority.current_files import current_files
from provisioning.authority.home import Home
from provisioning.authority.next_authority import issued_file
from provisioning.authority.proposal import Proposal, propose
from provisioning.authority.published import Published
from provisioning.authority.repository import Repository
from provisioning.authority.roster import changed, publish_roster, read_roster

PREPARED_BYTES_MAX: Final = REQUEST_BYTES_MAX + 32_768


class Prepared(Noun, frozen=True, kw_only=True):
    """`enrolling/<serial>.cbor`: certificates that were made for a request, whose box persons are asked to sign.

    Attributes:
        request: As the box signed it.
        tls_certificate, audit_certificate: PEM.
    """

    request: bytes
    tls_certificate: bytes
    audit_certificate: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What was answered, for the person at the desk."""

    serial: str
    origin: str
    request_fingerprint: str
    root_fingerprint: str
    valid_until: datetime
    again: bool


def read_request(path: Path) -> bytes:
    """Read a request file, no longer than a request can be. Raises NoInput."""
    with named(path), open_regular(path) as file:
        return file.read(REQUEST_BYTES_MAX + 1)


def propose_enrolment(home: Home, signed_request: bytes, *, serial: str | None, at_ms: int) -> Proposal:
    """Make a box's certificates, keep them for `issue`, and draft the roster that has it, for persons to sign.

    Raises:
        Malformed, Untrusted, Refused: As `issue`.
        ConfigError: The authority's key is not here.
        StorageFull, StorageFault: It could not be kept.
    """
    request = verify_request(signed_request)
    _check_address(home, request, serial)
    prepared, box = _prepare(home, signed_request, request, at_ms)
    following = changed(read_roster(home), lambda roster: _with(roster, box))
    with storage(f"making {_kept(home, request.serial).parent}"):
        _kept(home, request.serial).parent.mkdir(mode=0o700, exist_ok=True)
    write_durably(_kept(home, request.serial), pack(prepared))
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return propose(Published(home.folder), contents={ROSTER_TARGET: encode_roster(following)}, at=at)


def issue(home: Home, signed_request: bytes, out: Path, *, serial: str | None, now_ms: int) -> Issued:
    """Enrol the box that asks and write its answer into the folder `out`.

    The same box may ask again, with the same keys: it gets a new certificate, and the one before no longer counts. A
    request that persons signed in a session (`propose_enrolment`) is answered with what they signed, as often as asked.

    `serial` is the one on the order; None takes the request's word for it.

    Raises:
        Malformed, Untrusted: The request does not hold.
        Refused: It is for another headquarters, mode or serial; its serial belongs to another box; `out` is not empty.
    """
    request = verify_request(signed_request)
    _check_address(home, request, serial)
    _check_out(out)
    prepared, again = _signed_before(home, signed_request, request), False
    if prepared is None:
        prepared, box = _prepare(home, signed_request, request, now_ms)
        roster = read_roster(home)
        again = roster.box(request.serial) is not None
        publish_roster(home, changed(roster, lambda present: _with(present, box)), at_ms=now_ms)
    certificate = x509.load_pem_x509_certificate(prepared.tls_certificate)
    root = Repository(home.folder).root()
    answer = Answer(
        serial=request.serial,
        request_sha256=hashlib.sha256(signed_request).digest(),
        tls_certificate=prepared.tls_certificate,
        ca_certificate=trusted_by(home.ca, certificate),
        root=root,
        at_ms=now_ms,
        audit_certificate=prepared.audit_certificate,
    )
    with storage(f"making {issued_file(home, request.serial).parent}"):
        issued_file(home, request.serial).parent.mkdir(mode=0o700, exist_ok=True)
    write_durably(issued_file(home, request.serial), prepared.tls_certificate, mode=0o644)
    box = _roster_box(request, certificate)
    _write_answer(home, answer, out, messages=send_keys(home, box, at_ms=now_ms))
    return Issued(
        serial=request.serial,
        origin=request.first_origin,
        request_fingerprint=fingerprint(signed_request),
        root_fingerprint=fingerprint(root),
        valid_until=certificate.not_valid_after_utc,
        again=again,
    )


def _kept(home: Home, serial: str) -> Path:
    return home.folder / "enrolling" / f"{serial}.cbor"


def _prepare(home: Home, signed_request: bytes, request: Request, now_ms: int) -> tuple[Prepared, RosterBox]:
    """Certificates for the keys of a request, and the box as the roster will have it."""
    public = requested_key(request.tls_csr, uri=box_uri(request.serial))
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    authority = Authority.open(home.ca)
    certificate = authority.issue_client(public, box_uri(request.serial), now, BOX_YEARS)
    prepared = Prepared(
        request=signed_request,
        tls_certificate=certificate.public_bytes(Encoding.PEM),
        audit_certificate=_audit_certificate(authority, request, now),
    )
    return prepared, _roster_box(request, certificate)


def _signed_before(home: Home, signed_request: bytes, request: Request) -> Prepared | None:
    """What was prepared for this very request, where the published roster has the box so; None where it has not."""
    try:
        data = read_regular(_kept(home, request.serial), PREPARED_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{_kept(home, request.serial)}: {error.strerror}") from None
    prepared: Prepared = parse(data, Prepared, what="enrolling", bytes_max=PREPARED_BYTES_MAX)
    certificate = x509.load_pem_x509_certificate(prepared.tls_certificate)
    published = parse_roster(Published(home.folder).target(ROSTER_TARGET) or b"")
    same = prepared.request == signed_request and published.box(request.serial) == _roster_box(request, certificate)
    return prepared if same and published == read_roster(home) else None


def _with(roster: Roster, box: RosterBox) -> tuple[RosterBox, ...]:
    """The boxes of a roster with this one, in the place of the same one. Raises Refused."""
    _check_same_box(roster.box(box.serial), box)
    _check_own_key(roster, box)
    return (*(each for each in roster.boxes if each.serial != box.serial), box)


def _check_out(out: Path) -> None:
    """Nothing of another answer may lie in the folder. Raises Refused."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Refused(f"{out} is not empty; name a new folder for the answer")


def _audit_certificate(authority: Authority, request: Request, now: datetime) -> bytes | None:
    """PEM for the key under which the box serves its log; None where it has none."""
    if request.audit_csr is None:
        return None
    uri = audit_uri(request.serial)
    return authority.issue_box_server(requested_key(request.audit_csr, uri=uri), uri, now).public_bytes(Encoding.PEM)


def _check_address(home: Home, request: Request, serial: str | None) -> None:
    if request.domain != home.settings.domain:
        raise Refused(f"the request is for {request.domain}, this is {home.settings.domain}")
    home.admit(request.mode, "the request")
    if serial not in (None, request.serial):
        raise Refused(f"the request is of box {request.serial}, ordered is {serial}")


def _roster_box(request: Request, certificate: x509.Certificate) -> RosterBox:
    return RosterBox(
        serial=request.serial,
        identity_der=request.identity_der,
        log_vkey=Verifier(request.first_origin, ED25519, request.log_key().public).vkey(),
        origins=(request.first_origin,),
        age_recipient=request.age_recipient().encode(),
        tls_sha256=hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest(),
    )


def _check_same_box(earlier: RosterBox | None, box: RosterBox) -> None:
    """Raises Refused when the serial belongs to another box, a revoked one, or one with another log key."""
    if earlier is None:
        return
    if earlier.revoked:
        raise Refused(f"box {box.serial} is revoked; a serial is never used again, give the box a new one")
    if earlier.identity_der != box.identity_der:
        raise Refused(f"serial {box.serial} belongs to a box with another identity key; a serial is never used again")
    if earlier.log_vkey != box.log_vkey:
        raise Refused(f"box {box.serial} is enrolled with another log key: two logs of one name would be a fork")


def _check_own_key(roster: Roster, box: RosterBox) -> None:
    """Raises Refused when the identity key is that of another serial: one of the two is a copy."""
    for other in roster.boxes:
        if other.serial != box.serial and other.identity_der == box.identity_der:
            raise Refused(f"the identity key is that of box {other.serial}; a box makes its own, wipe this one first")


def _write_answer(home: Home, answer: Answer, out: Path, *, messages: Sequence[Path]) -> None:
    """The answer, the mirror of the current release, and what is said to this box alone.

    `answer.cbor` is written last, so that a part is never taken for all.
    """
    with storage(f"writing {out}"):
        for path in current_files(home.tuf):
            place = out / "mirror" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            copy_durably(home.tuf / path, place, mode=0o644)
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        for message in messages:
            copy_durably(message, out / FOLDER / message.name, mode=0o644)
    write_durably(out / "answer.cbor", encode_answer(answer), mode=0o644)
