"""The uplink's TLS looks at no dates: a box without a clock reaches headquarters, and still nobody else (I9)."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.uplink.link import tls_context

HOST = "collector.example"
NOW = dt.datetime.now(dt.UTC)
YEAR = dt.timedelta(days=365)


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: str,
    begins: dt.timedelta,
) -> x509.Certificate:
    """Valid for a year from then."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + begins)
        .not_valid_after(NOW + begins + YEAR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def shake_hands(folder: Path, *, begins: dt.timedelta, signed_by_authority: bool = True) -> None:
    """A whole handshake in memory between a collector with such a certificate and a box. Raises ssl.SSLError."""
    authority, stranger, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = certificate("ca.example", authority, authority, "ca.example", begins)
    signer = authority if signed_by_authority else stranger
    leaf = certificate(HOST, server, signer, "ca.example", begins)
    (folder / "ca.crt").write_bytes(root.public_bytes(Encoding.PEM))
    for name in ("tls.crt", "server.crt"):
        (folder / name).write_bytes(leaf.public_bytes(Encoding.PEM))
    for name in ("tls.key", "server.key"):
        pem = server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / name).write_bytes(pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "server.crt", folder / "server.key")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    box = tls_context(folder).wrap_bio(down, up, server_hostname=HOST)
    collector = serving.wrap_bio(up, down, server_side=True)
    ready = set[int]()
    while len(ready) < 2:
        for number, side in enumerate((box, collector)):
            try:
                side.do_handshake()
                ready.add(number)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("begins", [-3 * YEAR, 50 * YEAR], ids=["expired, as a clock of 2099 sees it", "not yet valid"])
def test_a_certificate_outside_its_dates_is_taken(tmp_path: Path, begins: dt.timedelta) -> None:
    shake_hands(tmp_path, begins=begins)


def test_a_certificate_of_another_authority_is_refused_whatever_its_dates(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, begins=-YEAR / 2, signed_by_authority=False)
