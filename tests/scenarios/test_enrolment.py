"""A box joins headquarters by the real commands' functions; every altered request and answer is refused by name."""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from appliance import wiring
from appliance.config import Config
from appliance.enrol.accept import accept_answer
from appliance.enrol.places import EnrolmentPlaces
from appliance.errors import ConfigError, LandlinkError, Malformed, NoInput, Refused, Untrusted
from appliance.formats.enrolment import Request, encode_answer, parse_answer, sign_request, verify_request
from appliance.formats.identity import Role, certify
from appliance.formats.note import parse_vkey
from appliance.formats.release import ROSTER_TARGET, parse_roster
from appliance.model import Mode
from drivers.key_store import FileKeyStore
from provisioning.authority.certificates import Authority
from provisioning.authority.enrolment import Issued, issue
from provisioning.authority.home import Home
from provisioning.authority.repository import Repository
from provisioning.authority.roster import read_roster, revoke
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(tmp_path: Path) -> Config:
    return config(tmp_path / "box")


@pytest.fixture
def answer(home: Home, box: Config, tmp_path: Path) -> Path:
    answer_to(home, ask(box), tmp_path / "answer")
    return tmp_path / "answer"


def answer_to(home: Home, request: bytes, out: Path, serial: str | None = None) -> Issued:
    return issue(home, request, out, serial=serial, now_ms=NOW_MS)


# --- what should be ---------------------------------------------------------------------------------------------------


def test_a_box_that_accepted_has_what_its_processes_need(home: Home, box: Config, answer: Path) -> None:
    accept_answer(box, answer)
    state = box.state
    secret = ["recorder/identity.key", "recorder/log.key", "recorder/age.identity", "uplink/tls.key"]
    assert {stat.S_IMODE((state / name).stat().st_mode) for name in secret} == {0o600}
    assert {stat.S_IMODE((state / name).stat().st_mode) for name in ("recorder", "uplink")} == {0o700}
    assert (state / "uplink" / "ca.crt").read_bytes() == (home.ca / "ca.crt").read_bytes()
    assert (state / "releases/root/1.root.json").read_bytes() == (home.tuf / "metadata/1.root.json").read_bytes()
    assert parse_vkey((state / "log.vkey").read_text().strip()).name == "landlink.example/la-0001.1"
    timestamp = "metadata/timestamp.json"
    assert (state / "mirror" / timestamp).read_bytes() == (home.tuf / timestamp).read_bytes()


def test_the_certificate_is_for_the_box_by_the_authority_for_two_to_five_years(
    home: Home, box: Config, answer: Path
) -> None:
    accept_answer(box, answer)
    certificate = x509.load_pem_x509_certificate((box.state / "uplink" / "tls.crt").read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((home.ca / "ca.crt").read_bytes()))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier("landlink:box:LA-0001")]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert 2 * 365 <= life.days <= 5 * 365
    (enrolled,) = read_roster(home).boxes
    assert enrolled.tls_sha256 == hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def test_the_roster_is_published_with_every_change(home: Home, answer: Path) -> None:
    assert answer.is_dir()
    published = Repository(home.folder).target(ROSTER_TARGET)
    assert published is not None
    assert parse_roster(published) == read_roster(home)
    revoke(home, "LA-0001", at_ms=NOW_MS)
    published = Repository(home.folder).target(ROSTER_TARGET)
    assert published is not None
    assert [(box.serial, box.revoked) for box in parse_roster(published).boxes] == [("LA-0001", True)]
    assert parse_roster(published).version == 3


def test_asking_and_accepting_again_changes_no_key(home: Home, box: Config, answer: Path, tmp_path: Path) -> None:
    accept_answer(box, answer)
    keys = {path: path.read_bytes() for path in box.state.rglob("*.key")}
    before = read_roster(home).boxes[0]
    again = answer_to(home, ask(box), tmp_path / "again")
    assert again.again
    accept_answer(box, tmp_path / "again")
    accept_answer(box, tmp_path / "again")
    assert {path: path.read_bytes() for path in box.state.rglob("*.key")} == keys
    after = read_roster(home).boxes[0]
    assert after.tls_sha256 != before.tls_sha256
    assert msgspec.structs.replace(after, tls_sha256=before.tls_sha256) == before


def test_both_ends_print_the_same_fingerprints(home: Home, box: Config, tmp_path: Path) -> None:
    asked = wiring.request(box, out=tmp_path / "request.cbor")
    issued = answer_to(home, (tmp_path / "request.cbor").read_bytes(), tmp_path / "answer")
    accepted = wiring.accept(box, answer=tmp_path / "answer")
    assert issued.request_fingerprint in asked
    assert issued.root_fingerprint in accepted


def test_no_private_key_leaves_the_box(box: Config, tmp_path: Path) -> None:
    wiring.request(box, out=tmp_path / "request.cbor")
    sent = (tmp_path / "request.cbor").read_bytes()
    log_key = (box.state / "recorder" / "log.key").read_bytes().splitlines()[1]
    identity = (box.state / "recorder" / "age.identity").read_bytes().strip()
    assert log_key not in sent
    assert identity not in sent
    assert b"PRIVATE" not in sent


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_makes_belongs_to_the_user_of_its_folder() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as on a box: each user comes to its own folder
        box = config(Path(folder))
        EnrolmentPlaces(box.state).prepare()
        os.chown(box.state / "recorder", 4001, 4001)
        os.chown(box.state / "uplink", 4002, 4002)
        ask(box)
        assert {path.stat().st_uid for path in (box.state / "recorder").iterdir()} == {4001}
        assert (box.state / "uplink" / "tls.key").stat().st_uid == 4002


# --- headquarters refuses ---------------------------------------------------------------------------------------------


def altered(box: Config, **changes: object) -> bytes:
    """The box's request with changed fields, signed by its own identity key."""
    request = verify_request(ask(box))
    key = FileKeyStore(EnrolmentPlaces(box.state).identity_key)
    return sign_request(msgspec.structs.replace(request, **changes), key.sign)


def signing_request(uri: str, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri)]))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .sign(key, hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None)
        .public_bytes(Encoding.DER)
    )


def tls_key_of(box: Config) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key((box.state / "uplink" / "tls.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def csr_of_a_stranger(box: Config) -> bytes:
    stranger = signing_request("landlink:box:LA-0001", ec.generate_private_key(ec.SECP256R1()))
    return altered(box, tls_csr=stranger)


def csr_for_another_name(box: Config) -> bytes:
    ask(box)
    return altered(box, tls_csr=signing_request("landlink:auditor", tls_key_of(box)))


def csr_with_a_flipped_bit(box: Config) -> bytes:
    csr = bytearray(verify_request(ask(box)).tls_csr)
    csr[-3] ^= 1
    return altered(box, tls_csr=bytes(csr))


def csr_that_is_none(box: Config) -> bytes:
    return altered(box, tls_csr=b"nothing of the kind")


def another_serial(box: Config) -> bytes:
    return altered(box, serial="LA-0002")


def flipped_signature(box: Config) -> bytes:
    request = bytearray(ask(box))
    request[-1] ^= 1
    return bytes(request)


def another_key_kind(box: Config) -> bytes:
    ask(box)
    identity = FileKeyStore(EnrolmentPlaces(box.state).identity_key)
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = certify(
        Role.TLS,
        serial="LA-0001",
        name="LA-0001",
        public=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        identity_der=identity.public_key_der(),
        sign=identity.sign,
    )
    csr = signing_request("landlink:box:LA-0001", key)
    return altered(box, tls_certificate=certificate, tls_csr=csr)


@pytest.mark.parametrize(
    "attack",
    [
        csr_of_a_stranger,
        csr_for_another_name,
        csr_with_a_flipped_bit,
        csr_that_is_none,
        another_serial,
        flipped_signature,
        another_key_kind,
    ],
)
def test_an_altered_request_is_refused_and_enrols_nobody(
    home: Home, box: Config, tmp_path: Path, attack: Callable[[Config], bytes]
) -> None:
    with pytest.raises((Untrusted, Malformed)):
        answer_to(home, attack(box), tmp_path / "answer")
    assert read_roster(home).boxes == ()
    assert not (tmp_path / "answer").exists()


def test_a_request_in_another_serials_place_is_refused(home: Home, box: Config, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the request is of box LA-0001, ordered is LA-0007"):
        answer_to(home, ask(box), tmp_path / "answer", serial="LA-0007")


def test_a_serial_never_passes_to_another_box(home: Home, answer: Path, tmp_path: Path) -> None:
    assert answer.is_dir()
    with pytest.raises(Refused, match="belongs to a box with another identity key"):
        answer_to(home, ask(config(tmp_path / "other")), tmp_path / "second")


def test_a_copied_identity_under_another_serial_is_refused(
    home: Home, box: Config, answer: Path, tmp_path: Path
) -> None:
    assert answer.is_dir()
    copied = config(tmp_path / "copy", serial="LA-0002")
    shutil.copytree(box.state, copied.state)
    with pytest.raises(Refused, match="the identity key is that of box LA-0001"):
        answer_to(home, ask(copied), tmp_path / "second")


def test_another_log_key_under_the_same_name_is_refused(home: Home, box: Config, answer: Path, tmp_path: Path) -> None:
    assert answer.is_dir()
    (box.state / "recorder" / "log.key").unlink()
    with pytest.raises(Refused, match="would be a fork"):
        answer_to(home, ask(box), tmp_path / "second")


def test_a_revoked_box_is_not_answered_again(home: Home, box: Config, answer: Path, tmp_path: Path) -> None:
    assert answer.is_dir()
    revoke(home, "LA-0001", at_ms=NOW_MS)
    with pytest.raises(Refused, match="revoked"):
        answer_to(home, ask(box), tmp_path / "second")
    with pytest.raises(Refused, match="revoked already"):
        revoke(home, "LA-0001", at_ms=NOW_MS)
    with pytest.raises(Refused, match="no box LA-0009"):
        revoke(home, "LA-0009", at_ms=NOW_MS)


def test_a_box_in_training_is_refused_at_the_live_door_and_the_other_way_round(home: Home, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="of mode training, this home is for live"):
        answer_to(home, ask(config(tmp_path / "trainee", mode=Mode.TRAINING)), tmp_path / "answer")
    training = headquarters(tmp_path / "training", mode=Mode.TRAINING)
    with pytest.raises(Refused, match="of mode live, this home is for training"):
        answer_to(training, ask(config(tmp_path / "real")), tmp_path / "answer")


def test_a_request_for_another_headquarters_is_refused(box: Config, tmp_path: Path) -> None:
    home = headquarters(tmp_path / "hq")
    elsewhere = Home(home.folder, msgspec.structs.replace(home.settings, domain="other.example"))
    with pytest.raises(Refused, match=r"the request is for landlink\.example, this is other.example"):
        answer_to(elsewhere, ask(box), tmp_path / "answer")


def test_an_answer_never_overwrites(home: Home, box: Config, answer: Path) -> None:
    with pytest.raises(Refused, match="is not empty"):
        answer_to(home, ask(box), answer)


# --- the box refuses --------------------------------------------------------------------------------------------------


def change(answer: Path, **changes: object) -> None:
    file = answer / "answer.cbor"
    file.write_bytes(encode_answer(msgspec.structs.replace(parse_answer(file.read_bytes()), **changes)))


def certificate_of_a_stranger(home: Home, answer: Path) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    made = Authority.open(home.ca).issue_client(stranger, "landlink:box:LA-0001", at(), 3)
    change(answer, tls_certificate=made.public_bytes(Encoding.PEM))


def certificate_by_another_authority(home: Home, answer: Path) -> None:
    other = headquarters(home.folder.with_name("other"))
    change(answer, ca_certificate=(other.ca / "ca.crt").read_bytes())


def another_certificate_for_the_same_key(home: Home, answer: Path) -> None:
    """By a stolen authority key: it is not the one in the roster that two of three offline keys signed."""
    own = x509.load_pem_x509_certificate(parse_answer((answer / "answer.cbor").read_bytes()).tls_certificate)
    public = own.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    made = Authority.open(home.ca).issue_client(public, "landlink:box:LA-0001", at(), 5)
    change(answer, tls_certificate=made.public_bytes(Encoding.PEM))


def root_of_another(home: Home, answer: Path) -> None:
    change(answer, root=Repository(headquarters(home.folder.with_name("other")).folder).root())


def answer_to_another_request(home: Home, answer: Path) -> None:
    assert home.folder.is_dir()
    change(answer, request_sha256=bytes(32))


def roster_with_a_flipped_bit(home: Home, answer: Path) -> None:
    assert home.folder.is_dir()
    (file,) = (answer / "mirror/targets/roster").iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def roster_missing(home: Home, answer: Path) -> None:
    assert home.folder.is_dir()
    shutil.rmtree(answer / "mirror/targets/roster")


def truncated(home: Home, answer: Path) -> None:
    assert home.folder.is_dir()
    file = answer / "answer.cbor"
    file.write_bytes(file.read_bytes()[:-1])


def at() -> datetime:
    return datetime.fromtimestamp(NOW_MS / 1000, UTC)


@pytest.mark.parametrize(
    "attack",
    [
        certificate_of_a_stranger,
        certificate_by_another_authority,
        another_certificate_for_the_same_key,
        root_of_another,
        answer_to_another_request,
        roster_with_a_flipped_bit,
        roster_missing,
        truncated,
    ],
)
def test_an_altered_answer_is_refused_and_installs_nothing(
    home: Home, box: Config, answer: Path, attack: Callable[[Home, Path], None]
) -> None:
    attack(home, answer)
    with pytest.raises((Untrusted, Malformed)):
        accept_answer(box, answer)
    assert not (box.state / "uplink" / "tls.crt").exists()
    assert not (box.state / "releases/root/1.root.json").exists()
    assert not (box.state / "mirror/metadata/timestamp.json").exists()


def test_a_revoked_box_does_not_take_the_release_that_says_so(
    home: Home, box: Config, answer: Path, tmp_path: Path
) -> None:
    revoke(home, "LA-0001", at_ms=NOW_MS)
    shutil.rmtree(answer / "mirror")
    shutil.copytree(home.tuf, answer / "mirror")
    with pytest.raises(Untrusted, match="has it revoked"):
        accept_answer(box, answer)
    assert tmp_path.is_dir()


def test_a_box_of_one_headquarters_does_not_join_another(home: Home, box: Config, answer: Path, tmp_path: Path) -> None:
    assert home.folder.is_dir()
    accept_answer(box, answer)
    answer_to(headquarters(tmp_path / "other"), ask(box), tmp_path / "theirs")
    with pytest.raises(Refused, match="enrolled with another headquarters"):
        accept_answer(box, tmp_path / "theirs")


def test_accepting_before_asking_says_what_is_missing(box: Config, answer: Path, tmp_path: Path) -> None:
    assert box.state.is_dir()
    with pytest.raises(ConfigError, match=r"request\.cbor: No such file.*; make a request first: landlink-box request"):
        accept_answer(config(tmp_path / "fresh"), answer)


def test_a_folder_that_is_no_answer_is_named_with_what_to_do(box: Config, tmp_path: Path) -> None:
    ask(box)
    with pytest.raises(NoInput, match=r"answer\.cbor: No such file.*; name the folder that headquarters' issue wrote"):
        accept_answer(box, tmp_path)


def test_a_box_that_has_a_log_but_lost_a_key_makes_no_new_one(box: Config) -> None:
    ask(box)
    (box.state / "log").mkdir()
    (box.state / "log" / "checkpoint").write_bytes(b"a log")
    (box.state / "recorder" / "log.key").unlink()
    with pytest.raises(Refused, match="it would fork"):
        ask(box)
    assert not (box.state / "recorder" / "log.key").exists()


@pytest.mark.parametrize("name", ["recorder/log.key", "recorder/age.identity", "uplink/tls.key"])
def test_a_damaged_key_is_named_and_never_replaced(box: Config, name: str) -> None:
    ask(box)
    (box.state / name).write_bytes(b"damaged")
    with pytest.raises(ConfigError, match=Path(name).name):
        ask(box)
    assert (box.state / name).read_bytes() == b"damaged"


# --- headquarters itself ----------------------------------------------------------------------------------------------


def test_init_never_overwrites_and_leaves_no_half(home: Home, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    root_key = home.key("root-1").read_bytes()
    with pytest.raises(Refused, match="keys are made once"):
        headquarters(home.folder)
    assert home.key("root-1").read_bytes() == root_key
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_every_secret_of_headquarters_is_its_owners_alone(home: Home) -> None:
    secrets = [*home.keys.iterdir(), *home.ca.glob("*.key"), *home.folder.glob("*.identity")]
    # TUF; receipts, cosigners; answers, directives, list key, voice; custody; ca; age
    assert len(secrets) == 10 + 3 + 4 + 1 + 3 + 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"domain": "landlink.example"}, "missing required field"),
        ({"domain": "X", "mode": "live", "collector_host": "h", "collector_port": 1}, "domain"),
        ({"domain": "x.example", "mode": "live", "collector_host": "h", "collector_port": 0}, "collector_port"),
        ({"domain": "x.example", "mode": "live", "collector_host": "h", "collector_port": 1, "extra": 1}, "extra"),
    ],
)
def test_settings_out_of_range_are_named(home: Home, settings: dict[str, object], named: str) -> None:
    (home.folder / "hq.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ConfigError, match=named):
        Home.open(home.folder)


def test_a_request_that_is_no_request_is_malformed(home: Home, tmp_path: Path) -> None:
    for junk in (b"", b"\xa0", bytes(40_000)):
        with pytest.raises(LandlinkError):
            answer_to(home, junk, tmp_path / "answer")
    assert isinstance(verify_request(ask(config(tmp_path / "box"))), Request)
