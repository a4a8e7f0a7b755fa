"""The key under which a box serves its log: asked for, certified and taken with the others, and of no use elsewhere."""

from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.enrol.accept import accept_answer
from appliance.errors import Untrusted
from appliance.formats.enrolment import (
    Answer,
    Request,
    encode_answer,
    parse_answer,
    sign_request,
    verify_request,
)
from appliance.formats.identity import Role
from drivers.key_store import FileKeyStore
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


def answered(home: Home, tmp_path: Path) -> Path:
    issue(home, ask(config(tmp_path)), tmp_path / "answer", serial="LA-0001", now_ms=NOW_MS)
    return tmp_path / "answer"


def signed_anew(tmp_path: Path, **changes: object) -> bytes:
    """The box's request with other fields, signed by its identity all the same."""
    box = config(tmp_path)
    request: Request = msgspec.structs.replace(verify_request(ask(box)), **changes)
    return sign_request(request, FileKeyStore(box.state / "recorder" / "identity.key").sign)


def test_a_box_gets_a_certificate_for_servers_alone_by_its_own_name(home: Home, tmp_path: Path) -> None:
    accept_answer(config(tmp_path), answered(home, tmp_path))
    folder = tmp_path / "state" / "audit"
    certificate = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert list(names) == [x509.UniformResourceIdentifier("landlink:audit:LA-0001")]
    assert (folder / "tls.key").read_bytes() != (tmp_path / "state" / "uplink" / "tls.key").read_bytes()
    assert (folder.stat().st_mode & 0o777, (folder / "tls.key").stat().st_mode & 0o777) == (0o700, 0o600)


def test_asking_again_keeps_the_key_and_brings_a_new_certificate(home: Home, tmp_path: Path) -> None:
    accept_answer(config(tmp_path), answered(home, tmp_path))
    folder = tmp_path / "state" / "audit"
    key, certificate = (folder / "tls.key").read_bytes(), (folder / "tls.crt").read_bytes()
    issue(home, ask(config(tmp_path)), tmp_path / "again", serial=None, now_ms=NOW_MS)
    accept_answer(config(tmp_path), tmp_path / "again")
    assert (folder / "tls.key").read_bytes() == key
    assert (folder / "tls.crt").read_bytes() != certificate


def test_a_request_of_a_box_without_such_a_key_is_answered_as_before(home: Home, tmp_path: Path) -> None:
    request = signed_anew(tmp_path, audit_certificate=None, audit_csr=None)
    issue(home, request, tmp_path / "answer", serial=None, now_ms=NOW_MS)
    assert parse_answer((tmp_path / "answer" / "answer.cbor").read_bytes()).audit_certificate is None


def test_half_of_a_key_for_the_audit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Untrusted, match="either certificate or CSR is missing"):
        verify_request(signed_anew(tmp_path, audit_csr=None))


def test_a_key_that_the_identity_did_not_certify_is_refused(tmp_path: Path) -> None:
    uplinks = verify_request(ask(config(tmp_path))).tls_csr
    with pytest.raises(Untrusted, match="another key than the certified key for the audit"):
        verify_request(signed_anew(tmp_path, audit_csr=uplinks))


def test_the_uplinks_certificate_does_not_pass_for_the_audits(tmp_path: Path) -> None:
    certificate = verify_request(ask(config(tmp_path))).tls_certificate
    with pytest.raises(Untrusted, match=f"not {Role.AUDIT}"):
        verify_request(signed_anew(tmp_path, audit_certificate=certificate))


def test_a_certificate_for_another_key_in_the_answer_is_refused(home: Home, tmp_path: Path) -> None:
    folder = answered(home, tmp_path)
    answer: Answer = parse_answer((folder / "answer.cbor").read_bytes())
    swapped = msgspec.structs.replace(answer, audit_certificate=answer.tls_certificate)
    (folder / "answer.cbor").write_bytes(encode_answer(swapped))
    with pytest.raises(Untrusted, match="for another key than this box made"):
        accept_answer(config(tmp_path), folder)
