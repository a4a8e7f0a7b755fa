"""The authority of TLS certificates (RFC 5280): its own, the collector's, the auditor's, and one a box.

P-256 throughout. TLS carries bytes; it proves nothing about a record: what a box says is signed by its own log and
epoch keys. So the names here are small: a box is `landlink:box:SERIAL`, the auditor is `landlink:auditor`.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import ConfigError, Malformed, Untrusted
from appliance.files import write_durably
from appliance.formats.enrolment import AUDITOR_URI
from provisioning.authority.keys import load_private_key, write_private_key

CA_YEARS: Final = 20
PEER_YEARS: Final = 5
BOX_YEARS: Final = 3
"""Between 2 and 5: long enough to outlive a posting, short enough that a lost key ends by itself."""

COLLECTOR: Final = "collector"
AUDITOR: Final = "auditor"
PEERS: Final = (COLLECTOR, AUDITOR)
"""Headquarters' own ends of a connection, each `<name>.key` and `<name>.crt`."""

BACKDATED: Final = timedelta(days=1)
"""A certificate is valid from a day before it is made: clocks at the far end differ."""


def make_authority(folder: Path, *, domain: str, collector_host: str, now: datetime) -> None:
    """Make the authority and the certificates of collector and auditor in `folder`.

    Raises:
        StorageFull, StorageFault: Something could not be written.
    """
    authority = new_authority(domain, now)
    write_private_key(folder / "ca.key", authority.key)
    _write_certificate(folder / "ca.crt", authority.certificate)
    for peer in PEERS:
        make_peer(folder, authority, peer, collector_host=collector_host, now=now)


def new_authority(domain: str, now: datetime) -> "Authority":
    """An authority with a key of its own, nowhere written yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{domain} authority")
    certificate = (
        _builder(name, name, key.public_key(), now, CA_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def make_peer(
    folder: Path, authority: "Authority", name: str, *, collector_host: str, now: datetime
) -> x509.Certificate:
    """Make a key and a certificate for one of PEERS in `folder`, in the place of former ones; the certificate.

    Interrupted between the two, they do not fit together, and nothing uses them: do it again.

    Raises:
        StorageFull, StorageFault: Something could not be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    if name == COLLECTOR:
        certificate = authority.issue_server(key.public_key(), collector_host, now)
    else:
        certificate = authority.issue_client(key.public_key(), AUDITOR_URI, now, PEER_YEARS)
    write_private_key(folder / f"{name}.key", key)
    _write_certificate(folder / f"{name}.crt", certificate)
    return certificate


class Authority:
    """Signs certificates."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """Load the authority from `folder`: the key, and that of the trusted certificates which is its own.

        Raises:
            ConfigError: One of them is missing, or they do not belong together.
        """
        key = load_private_key(folder / "ca.key")
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigError(f"{folder / 'ca.key'}: not a P-256 key")
        for certificate in trusted(folder):
            if certificate.public_key() == key.public_key():
                return cls(key, certificate)
        raise ConfigError(f"{folder / 'ca.key'} is none of the authorities in {folder / 'ca.crt'}")

    def issue_server(self, public: ec.EllipticCurvePublicKey, host: str, now: datetime) -> x509.Certificate:
        """Certificate for the collector at `host`; localhost and 127.0.0.1 too, where it is tried first."""
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        addresses = [ipaddress.ip_address("127.0.0.1")]
        try:
            addresses.append(ipaddress.ip_address(host))
        except ValueError:
            names.append(x509.DNSName(host))
        names.extend(x509.IPAddress(address) for address in dict.fromkeys(addresses))
        return self._issue(public, list(dict.fromkeys(names)), ExtendedKeyUsageOID.SERVER_AUTH, now, PEER_YEARS)

    def issue_client(self, public: ec.EllipticCurvePublicKey, uri: str, now: datetime, years: int) -> x509.Certificate:
        """Certificate for a box or the auditor, by its URI."""
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
        return self._issue(public, names, ExtendedKeyUsageOID.CLIENT_AUTH, now, years)

    def issue_box_server(self, public: ec.EllipticCurvePublicKey, uri: str, now: datetime) -> x509.Certificate:
        """Certificate under which a box serves its log, by its URI: a box has no address that is its own.

        It opens no collector: it is for servers alone.
        """
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
        return self._issue(public, names, ExtendedKeyUsageOID.SERVER_AUTH, now, BOX_YEARS)

    def _issue(
        self,
        public: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        purpose: x509.ObjectIdentifier,
        now: datetime,
        years: int,
    ) -> x509.Certificate:
        # The subject repeats the first name, for people who read certificates; nothing compares it.
        return (
            _builder(_name(str(names[0].value)[:64]), self.certificate.subject, public, now, years)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def trusted(folder: Path) -> tuple[x509.Certificate, ...]:
    """The authorities that headquarters trusts, the newest first (`ca.crt`). Raises ConfigError."""
    path = folder / "ca.crt"
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path}: no certificate in PEM") from None


def trusted_by(folder: Path, certificate: x509.Certificate) -> bytes:
    """The same in PEM for whoever is given this certificate: first the authority that signed it. Raises ConfigError."""
    ordered = sorted(trusted(folder), key=lambda each: not is_issued_by(each, certificate))
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in ordered)


def is_issued_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether this authority signed that certificate, of several of one name."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def requested_key(csr_der: bytes, *, uri: str) -> ec.EllipticCurvePublicKey:
    """The key of a PKCS#10 request whose signature formats/enrolment.py has verified, if it asks for this name alone.

    Raises:
        Malformed: Not a PKCS#10 request with a name.
        Untrusted: It asks for another name, or for another kind of key than P-256.
    """
    try:
        request = x509.load_der_x509_csr(csr_der)
        public = request.public_key()
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise Malformed("TLS signing request", f"not a PKCS#10 request with a name ({type(error).__name__})") from None
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise Untrusted("TLS signing request: its key is not P-256")
    if list(names) != [x509.UniformResourceIdentifier(uri)]:
        raise Untrusted(f"TLS signing request: for another name than {uri}")
    return public


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC).replace(microsecond=0) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years))
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    write_durably(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
