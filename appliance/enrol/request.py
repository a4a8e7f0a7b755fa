"""Ask to be enrolled: keys are made on the box and never leave it; the request carries their public halves.

Asking again is safe: keys that exist are used, never replaced.
"""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from appliance.config import Config
from appliance.enrol.keys import age_identity, log_key, tls_key
from appliance.enrol.places import EnrolmentPlaces, Sealing, rights_of
from appliance.errors import Refused
from appliance.files import write_durably
from appliance.formats.age import Identity
from appliance.formats.enrolment import Request, audit_uri, box_uri, first_origin, sign_request
from appliance.formats.identity import Role, certify
from appliance.formats.note import ED25519, Verifier
from drivers.api import KeyStore


def make_request(
    config: Config, open_key_store: Callable[[], KeyStore], open_sealing: Callable[[], Sealing] = Sealing
) -> bytes:
    """Make what is missing of the box's keys, certify them, and sign a request.

    Args:
        config: Which box, of which headquarters, in which mode.
        open_key_store: Opens the store of the identity key; makes the key when there is none.
        open_sealing: Says how the other keys are to lie at rest; called when the store is open.

    Returns:
        The signed request, also kept in the box's state.

    Raises:
        Refused: The box has a log, but a key is missing: new keys would fork it.
        ConfigError, Untrusted: A key file cannot be used, or does not open.
        StorageFull, StorageFault: Something could not be written.
    """
    places = EnrolmentPlaces(config.state)
    keys = (places.identity_key, places.log_key) if config.keys.provider == "file" else (places.log_key,)
    if places.checkpoint.exists() and not all(key.exists() for key in keys):
        raise Refused("this box has a log but not its keys; with new keys it would fork: it needs a new serial")
    places.prepare()
    store = open_key_store()
    sealing = open_sealing()
    log_signer = log_key(places.log_key, sealing.recorder)
    with rights_of(places.tls_key.parent):
        uplink = tls_key(places.tls_key, sealing.uplink)
    with rights_of(places.audit_key.parent):
        audit = tls_key(places.audit_key, sealing.audit)
    age = age_identity(places.age_identity, sealing.recorder)
    request, signed = _signed_request(config, store, log_signer, age, (uplink, audit))
    identity = config.state / "identity"
    for name, content in (
        ("identity.pub", request.identity_der),
        ("log.cert", request.log_certificate),
        ("tls.cert", request.tls_certificate),
        ("age.cert", request.age_certificate),
        ("request.cbor", signed),
    ):
        write_durably(identity / name, content, mode=0o644)
    if not places.checkpoint.exists():  # afterwards the recorder owns it: it may name a later log
        vkey = Verifier(request.first_origin, ED25519, log_signer.public_key().public_bytes_raw()).vkey()
        write_durably(config.state / "log.vkey", f"{vkey}\n".encode(), mode=0o644)
    places.hand_over()
    return signed


def _signed_request(
    config: Config,
    store: KeyStore,
    log: Ed25519PrivateKey,
    age: Identity,
    tls_keys: tuple[ec.EllipticCurvePrivateKey, ec.EllipticCurvePrivateKey],
) -> tuple[Request, bytes]:
    """The request, and signed; `tls_keys` are the uplink's and the audit's."""
    serial, identity_der = config.box.serial, store.public_key_der()

    def certificate(role: Role, name: str, public: bytes) -> bytes:
        return certify(role, serial=serial, name=name, public=public, identity_der=identity_der, sign=store.sign)

    origin = first_origin(config.box.domain, serial)
    tls, audit = tls_keys
    request = Request(
        serial=serial,
        domain=config.box.domain,
        mode=config.box.mode,
        identity_der=identity_der,
        log_certificate=certificate(Role.LOG, origin, log.public_key().public_bytes_raw()),
        tls_certificate=certificate(Role.TLS, serial, _der(tls)),
        age_certificate=certificate(Role.AGE, serial, age.recipient.encode().encode("ascii")),
        tls_csr=_signing_request(tls, box_uri(serial)),
        audit_certificate=certificate(Role.AUDIT, serial, _der(audit)),
        audit_csr=_signing_request(audit, audit_uri(serial)),
    )
    return request, sign_request(request, store.sign)


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signing_request(key: ec.EllipticCurvePrivateKey, uri: str) -> bytes:
    """PKCS#10 (RFC 2986) for a TLS certificate, by the name that headquarters maps to this box."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri)]))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
