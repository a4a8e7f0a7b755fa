"""Take headquarters' answer: believed only from its first root down.

The release that the root signs names this box with exactly the keys that it made and the TLS certificate that it was
given. So whoever alters the answer must bring another root, and its fingerprint, which two people compare, is another.

Whoever accepts is root, and what is accepted the uplink may read. So no link in the folder is followed: it could lead
to a key of this box. And what a process may write it may have been taken over to write: what root installs into a
folder of its, is written with that user's own rights, so that no link there leads root anywhere either.
"""

import errno
import hashlib
import re
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.config import Config
from appliance.enrol.keys import tls_key
from appliance.enrol.places import EnrolmentPlaces, Sealing, read_bounded, rights_of
from appliance.errors import ConfigError, Malformed, NoInput, Refused, StorageFault, Untrusted
from appliance.files import OpenFile, copy_durably, names_beneath, open_beneath, open_regular, storage, write_durably
from appliance.formats.downlink import FILE_NAME, FOLDER, SEALED_BYTES_MAX, WAITING_MAX
from appliance.formats.enrolment import (
    ANSWER_BYTES_MAX,
    REQUEST_BYTES_MAX,
    Answer,
    Request,
    audit_uri,
    box_uri,
    check_answer,
    parse_answer,
    verify_request,
)
from appliance.formats.mirror import PAGES_SUFFIX, release_names, wanted_files
from appliance.formats.note import ED25519, Verifier
from appliance.formats.release import PERSONS_TARGET, TARGET_BYTES_MAX, RosterBox, verify_release

MIRROR_FILE_BYTES_MAX: Final = TARGET_BYTES_MAX[PERSONS_TARGET]
"""The longest file that is read whole; the documents list is longer and is not."""
OPEN: Final = Sealing()
MIRROR: Final = "mirror"
TIMESTAMP: Final = "metadata/timestamp.json"
NAMES_MAX: Final = 4_096
"""Looked at among the messages."""


def accept_answer(config: Config, folder: Path, sealing: Sealing = OPEN) -> Answer:
    """Verify the answer in `folder` and install it; taking the same answer again changes nothing.

    1. It answers the last request of this box. 2. Its TLS certificates are for this box's keys and names, by the
    authority in the answer. 3. The release in the mirror verifies from the root in the answer. 4. Its roster has this
    box, not revoked, with its identity, log, age recipient and the first of these. 5. It is pinned to no other root.

    Args:
        config: Of this box.
        folder: What headquarters' issue wrote.
        sealing: How the box's keys lie.

    Raises:
        NoInput: There is no answer.
        ConfigError: There is no request, or something else of the answer cannot be read.
        Malformed, Untrusted: The answer does not hold; nothing was installed.
        Refused: The box belongs to another headquarters already.
        StorageFull, StorageFault: Not all could be written; accept again.
    """
    places = EnrolmentPlaces(config.state)
    signed_request = _read_request(places.request)
    request = verify_request(signed_request)
    answer = parse_answer(_read_answer(folder / "answer.cbor"))
    check_answer(answer, signed_request)
    with rights_of(places.tls_key.parent):
        key = tls_key(places.tls_key, sealing.uplink)
    certificate = _check_certificate(answer.tls_certificate, answer, key=key, uri=box_uri(answer.serial))
    if answer.audit_certificate is not None:
        with rights_of(places.audit_key.parent):
            key = tls_key(places.audit_key, sealing.audit)
        _check_certificate(answer.audit_certificate, answer, key=key, uri=audit_uri(answer.serial))
    files, pages = _mirror_files(folder)
    release = verify_release(release_names(files), answer.root, documents=OpenFile(folder / MIRROR / pages))
    _check_box(release.roster.box(request.serial), request, certificate)
    if places.pinned_root.exists() and read_bounded(places.pinned_root, ANSWER_BYTES_MAX) != answer.root:
        raise Refused("this box is enrolled with another headquarters; wipe it before it joins a new one")
    messages = _messages(folder)
    _install(answer, files, places, folder / MIRROR / pages)
    with rights_of(places.down):
        for name, sealed in messages.items():
            write_durably(places.down / name, sealed, mode=0o644)
    places.hand_over()
    return answer


def _read_request(path: Path) -> bytes:
    try:
        return read_bounded(path, REQUEST_BYTES_MAX)
    except ConfigError as error:
        raise ConfigError(f"{error}; make a request first: landlink-box request --out FILE") from None


def _read_answer(path: Path) -> bytes:
    try:
        return read_bounded(path, ANSWER_BYTES_MAX)
    except ConfigError as error:
        raise NoInput(f"{error}; name the folder that headquarters' issue wrote") from None


def _check_certificate(pem: bytes, answer: Answer, *, key: ec.EllipticCurvePrivateKey, uri: str) -> bytes:
    """Rule 2 for one certificate, which must be for this key; returns its DER."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        authority = x509.load_pem_x509_certificate(answer.ca_certificate)
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(authority)
    except InvalidSignature:
        raise Untrusted("enrolment answer: the TLS certificate is not signed by the authority in it") from None
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension):
        raise Malformed("enrolment answer", "its certificates cannot be read, or do not belong together") from None
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != own:
        raise Untrusted("enrolment answer: the TLS certificate is for another key than this box made")
    if list(names) != [x509.UniformResourceIdentifier(uri)]:
        raise Untrusted("enrolment answer: the TLS certificate is for another name than this box")
    return certificate.public_bytes(Encoding.DER)


def _mirror_files(folder: Path) -> tuple[dict[str, bytes], str]:
    """The files of the mirror's current release by path, read within bounds, and where its documents list lies.

    Verified by nobody yet.
    """
    files: dict[str, bytes] = {}
    pages = ""

    def read(path: str) -> bytes | None:
        try:
            with open_beneath(folder, f"{MIRROR}/{path}") as file:
                content = file.read(MIRROR_FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"reading {path}: {error.strerror}") from None
        files[path] = content
        return content

    def has(path: str) -> bool:
        nonlocal pages
        if not path.endswith(PAGES_SUFFIX):
            return read(path) is not None
        pages = path
        try:
            open_beneath(folder, f"{MIRROR}/{path}").close()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageFault(f"reading {path}: {error.strerror}") from None
        return True

    lacking = [wanted.path for wanted in wanted_files(read, has) if not wanted.optional]
    if lacking or not pages:
        raise Untrusted(f"enrolment answer: its mirror lacks {''.join(lacking[:1])}; copy the whole folder")
    return files, pages


def _check_box(box: RosterBox | None, request: Request, certificate: bytes) -> None:
    """Rule 4."""
    if box is None or box.revoked:
        raise Untrusted("enrolment answer: headquarters' roster does not have this box, or has it revoked")
    log_vkey = Verifier(request.first_origin, ED25519, request.log_key().public).vkey()
    expected = (request.identity_der, log_vkey, request.age_recipient().encode())
    if (box.identity_der, box.log_vkey, box.age_recipient) != expected or request.first_origin not in box.origins:
        raise Untrusted("enrolment answer: headquarters' roster has other keys for this box than it made")
    if box.tls_sha256 != hashlib.sha256(certificate).digest():
        raise Untrusted("enrolment answer: headquarters' roster names another TLS certificate; ask for a new answer")


def _messages(folder: Path) -> dict[str, bytes]:
    """What headquarters says to this box alone, by name, sealed; the recorder verifies it when the uplink brings it."""
    try:
        names = sorted(filter(re.compile(FILE_NAME).fullmatch, names_beneath(folder, FOLDER, count_max=NAMES_MAX)))
        return {name: _message(folder, name) for name in names[:WAITING_MAX]}
    except FileNotFoundError:  # of a headquarters that had nothing to say
        return {}
    except OSError as error:
        raise ConfigError(f"{folder / FOLDER}: {error.strerror}; copy the whole folder") from None


def _message(folder: Path, name: str) -> bytes:
    with open_beneath(folder, f"{FOLDER}/{name}") as file:
        sealed = file.read(SEALED_BYTES_MAX + 1)
    if len(sealed) > SEALED_BYTES_MAX:
        raise OSError(errno.EFBIG, f"more than {SEALED_BYTES_MAX} bytes")
    return sealed


def _install(answer: Answer, files: dict[str, bytes], places: EnrolmentPlaces, pages: Path) -> None:
    places.prepare()
    uplink, mirror = places.state / "uplink", places.state / "mirror"
    with rights_of(uplink):
        write_durably(uplink / "tls.crt", answer.tls_certificate, mode=0o644)
        write_durably(uplink / "ca.crt", answer.ca_certificate, mode=0o644)
        write_durably(places.carried_root, answer.root, mode=0o644)
    if answer.audit_certificate is not None:
        with rights_of(places.audit_key.parent):
            write_durably(places.audit_key.with_name("tls.crt"), answer.audit_certificate, mode=0o644)
            write_durably(places.audit_key.with_name("ca.crt"), answer.ca_certificate, mode=0o644)
    with rights_of(places.pinned_root.parents[1]):
        write_durably(places.pinned_root, answer.root, mode=0o644)
    with _original(pages) as original, rights_of(mirror):
        _fill_mirror(mirror, files, original, pages.name)


def _original(pages: Path) -> BinaryIO:
    """The answer's documents list, opened as who accepts. Raises StorageFault."""
    with storage(f"reading {pages.name}"):
        return open_regular(pages)


def _fill_mirror(mirror: Path, files: dict[str, bytes], pages: BinaryIO, pages_name: str) -> None:
    """Lay the release into the mirror; the timestamp last: it makes the rest current."""
    if (mirror / TIMESTAMP).exists():  # the uplink has fetched since: what it has is not older
        return
    folder = mirror / "targets" / "lists"
    with storage(f"making {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    copy_durably(pages, folder / pages_name, mode=0o644)
    for path in sorted(files, key=lambda path: path == TIMESTAMP):
        with storage(f"making {path}"):
            (mirror / path).parent.mkdir(parents=True, exist_ok=True)
        write_durably(mirror / path, files[path], mode=0o644)
