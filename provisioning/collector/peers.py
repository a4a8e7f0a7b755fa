"""Who is at the other end: the client certificate becomes a box of the roster, or the auditor; nobody else comes in."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.errors import ConfigError, Malformed, Refused
from appliance.formats.enrolment import AUDITOR_URI, box_uri
from appliance.formats.release import Roster, RosterBox
from provisioning.audit.log import SUCCESSIONS_MAX, number_of
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An enrolled box, not revoked."""

    box: RosterBox

    def owns(self, origin: str) -> bool:
        """Whether a log of this name is this box's own: `<domain>/<serial in lower case>.<n>`, n not far ahead."""
        known = max((number_of(self.box, one) for one in self.box.origins), default=0)
        return 0 < number_of(self.box, origin) <= known + SUCCESSIONS_MAX


@dataclass(frozen=True, slots=True)
class Auditor:
    """Headquarters' own reader."""


Peer = Box | Auditor


class Peers:
    """The roster and the auditor's certificate, read again when they change."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stamp = (-1, -1)
        self._boxes: dict[bytes, RosterBox] = {}
        self._roster: Roster | None = None
        self._auditor = _fingerprint_of(home)
        self._refresh()

    def identify(self, certificate: bytes) -> Peer:
        """Who this certificate (DER, its chain verified by TLS) belongs to.

        Raises:
            Refused: Nobody in the roster, or a revoked box.
        """
        self._refresh()
        fingerprint = hashlib.sha256(certificate).digest()
        names = _names(certificate)
        if fingerprint == self._auditor and AUDITOR_URI in names:
            return Auditor()
        box = self._boxes.get(fingerprint)
        if box is None or box_uri(box.serial) not in names:
            raise Refused("this certificate belongs to no enrolled box")
        if box.revoked:
            raise Refused(f"box {box.serial} is revoked")
        return Box(box=box)

    def box(self, serial: str) -> RosterBox | None:
        """The box with this serial, revoked or not."""
        return None if self._roster is None else self._roster.box(serial)

    def _refresh(self) -> None:
        try:
            stat = self._home.roster_file.stat()
        except OSError as error:
            raise ConfigError(f"{self._home.roster_file}: {error.strerror}") from None
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._stamp:
            self._roster = read_roster(self._home)
            self._boxes = {box.tls_sha256: box for box in self._roster.boxes}
            self._stamp = stamp


@lru_cache(maxsize=4_096)
def _names(certificate: bytes) -> frozenset[str]:
    """The URIs that a certificate is issued to."""
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        alternative = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Malformed("client certificate", type(error).__name__) from None
    return frozenset(alternative.get_values_for_type(x509.UniformResourceIdentifier))


def _fingerprint_of(home: Home) -> bytes:
    path = home.ca / "auditor.crt"
    try:
        pem = path.read_bytes()
        return hashlib.sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).digest()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path}: no certificate in PEM") from None
