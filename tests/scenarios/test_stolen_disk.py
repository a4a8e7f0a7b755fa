"""A stolen card, for each provider, of a box in the very configuration that starts unattended: what yields, what not.

The thief has the card and this software, copies nothing from the running box, and tries two things: to read what lies
there, and to start the recorder on a machine of his own. SECURITY.md says what he gets; here it is tried.
"""

import base64
import hashlib
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.at_rest import OPEN, AtRest
from appliance.credentials import PIN, RECORDER, credential
from appliance.errors import ConfigError, Malformed, Untrusted
from appliance.formats.age import decrypt, parse_identity
from appliance.formats.cose import parse_sign1
from appliance.formats.identity import verify_epoch_certificate
from appliance.formats.record import RECORD_BYTES_MAX
from appliance.formats.statement import EpochStart, Sealed, parse_statement
from appliance.formats.wire import Hello, Welcome
from appliance.line import RecorderRefused
from appliance.record.held_keys import HeldKeys
from appliance.record.keys import read_log_key
from appliance.record.places import Places
from drivers.api import DeviceError
from drivers.key_store import FileKeyStore
from drivers.token_key_store import TokenKeyStore
from tests.scenarios.key_beds import LIST_KEY, PROVIDERS, VOICE_KEY, KeyBed, bed_of, thief_of
from tests.scenarios.recorder_bed import append, list_keys, record
from tests.tokens import LABEL, SoftToken, TpmToken
from tests.tokens import PIN as TOKEN_PIN

pytestmark = pytest.mark.interop
YIELDS = ("open files", "files under the host's key")
"""Whose card has everything that opens it: systemd's host key lies on the card, too."""
YIELDS_NOT = tuple(provider for provider in PROVIDERS if provider not in YIELDS)
HOST_KEY = Path("/var/lib/systemd/credential.secret")


@dataclass
class Stolen:
    """A card in a thief's hands, and the box that it was taken from, which he does not have."""

    box: KeyBed
    thief: KeyBed

    @property
    def provider(self) -> str:
        return self.box.provider

    @property
    def places(self) -> Places:
        return Places(self.thief.state, self.thief.folder / "run")


@pytest.fixture(params=PROVIDERS, scope="module")
def stolen(request: pytest.FixtureRequest) -> Generator[Stolen]:
    folder = Path(mkdtemp(prefix="s-"))
    box = bed_of(request.param)
    thief = thief_of(box, folder)
    yield Stolen(box, thief)
    thief.end()
    rmtree(folder)


def sealing_key(stolen: Stolen) -> bytes | None:
    """The best that the thief can do: with the card alone systemd opens what its host key opens, and no more.

    Raises:
        ConfigError: Nothing on the card opens it.
    """
    if stolen.provider == "files under the host's key":
        assert HOST_KEY.exists()  # on a box it lies on the card, so the thief has it
    return credential(RECORDER, {}, stolen.thief.store, tpm2_device=stolen.thief.tpm2_device)


# --- lists and the signing future -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stolen", YIELDS, indirect=True)
def test_with_open_files_or_the_hosts_key_a_thief_of_the_card_has_the_lists_the_codes_and_the_signing_future(
    stolen: Stolen,
) -> None:
    at_rest = OPEN if stolen.provider == "open files" else AtRest(sealing_key(stolen), plain=False)
    held = HeldKeys(stolen.places.held_keys, at_rest)
    assert (held.lists, held.voice) == ((LIST_KEY,), VOICE_KEY)
    assert read_log_key(stolen.places.log_key, at_rest).public_key().public_bytes_raw() == stolen.box.verifier.public
    identity = FileKeyStore(stolen.places.identity_key, at_rest)
    assert identity.public_key_der() == stolen.box.request.identity_der
    assert len(identity.sign(b"in this box's name")) == 64


@pytest.mark.parametrize("way", ["raw", "hex", "base64"])
def test_the_lists_key_and_the_voice_key_stand_on_no_card_but_an_open_one(stolen: Stolen, way: str) -> None:
    spelled = {
        "raw": bytes,
        "hex": lambda key: key.hex().encode(),
        "base64": lambda key: base64.b64encode(key)[:40],
    }[way]
    found = {
        path.name
        for path in stolen.thief.card.rglob("*")
        if path.is_file() and any(spelled(key) in path.read_bytes() for key in (LIST_KEY, VOICE_KEY))
    }
    assert found == ({"held-keys"} if (stolen.provider, way) == ("open files", "raw") else set())


@pytest.mark.parametrize("stolen", YIELDS_NOT, indirect=True)
def test_the_card_of_a_box_with_a_tpm_or_a_token_opens_nothing_on_another_machine(stolen: Stolen) -> None:
    """Neither lists nor signing: the recorder starts on the thief's machine, and comes to no key."""
    stolen.thief.spawn()
    line = stolen.thief.line(timeout_s=30.0)
    answer = line.ask(Hello())
    assert isinstance(answer, Welcome)
    assert not answer.ready
    for ask in (lambda: list_keys(line), lambda: line.ask(append(record()))):
        with pytest.raises(RecorderRefused):
            ask()
    stolen.thief.power_cut()
    for path in (stolen.places.log_key, stolen.places.age_identity, stolen.places.held_keys):
        with pytest.raises(Untrusted):
            AtRest(None, plain=False).read(path, 8_192)


@pytest.mark.parametrize("stolen", ["files under the TPM"], indirect=True)
def test_another_tpm_does_not_open_the_credential(stolen: Stolen) -> None:
    folder = Path(mkdtemp(prefix="o-"))
    other = TpmToken(folder, manufactured=True)
    try:
        with pytest.raises(ConfigError, match="does not open on this machine"):
            credential(RECORDER, {}, stolen.thief.store, tpm2_device=other.device)
        assert credential(RECORDER, {}, stolen.thief.store, tpm2_device=stolen.box.tpm2_device) is not None
    finally:
        other.close()
        rmtree(folder)


@pytest.mark.parametrize("stolen", ["SoftHSM", "TPM token"], indirect=True)
def test_a_thief_who_knows_the_pin_signs_nothing_and_opens_nothing_without_the_chip(stolen: Stolen) -> None:
    """tpm2-pkcs11 keeps its store on the card: another TPM, and the right PIN, load no key from it."""
    folder = Path(mkdtemp(prefix="o-"))
    if stolen.provider == "TPM token":
        copytree(stolen.thief.state / "recorder" / "token", folder / "store")
        other: TpmToken | SoftToken = TpmToken(folder, folder / "store", manufactured=True)
    else:
        other = SoftToken(folder)
    before = {name: os.environ.get(name) for name in other.environment}
    os.environ.update(other.environment)
    try:
        store = TokenKeyStore(other.module, LABEL, lambda: TOKEN_PIN)
        with pytest.raises(DeviceError):
            store.sign(b"in this box's name")
        with pytest.raises(DeviceError):
            store.open((stolen.thief.state / "recorder" / "sealing.token").read_bytes())
    finally:
        other.close()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        rmtree(folder)


def test_no_pin_lies_on_a_card(stolen: Stolen) -> None:
    found = [
        path
        for path in stolen.thief.card.rglob("*")
        if path.is_file() and path.name != "reserve" and TOKEN_PIN.encode() in path.read_bytes()
    ]
    assert found == []
    assert not (stolen.thief.store / PIN).exists()


# --- the past: the same for every provider ----------------------------------------------------------------------------


def everything_that_opens(stolen: Stolen) -> AtRest:
    """More than the thief has: the sealing key of the running box. The past stays closed even so."""
    if stolen.provider == "open files":
        return OPEN
    if not stolen.box.keys_in_token:
        return AtRest((stolen.box.folder / "memory" / RECORDER).read_bytes(), plain=False)
    assert stolen.box.token is not None
    before = dict(os.environ)
    os.environ.update(stolen.box.token.environment)
    try:
        store = TokenKeyStore(stolen.box.token.module, LABEL, lambda: TOKEN_PIN)
        return AtRest(store.open((stolen.thief.state / "recorder" / "sealing.token").read_bytes()), plain=False)
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_past_records_do_not_open_with_every_key_of_the_box(stolen: Stolen) -> None:
    at_rest = everything_that_opens(stolen)
    identity = parse_identity(at_rest.read(stolen.places.age_identity, 4_096).decode().strip())
    bodies = sorted((stolen.thief.state / "bodies").glob("*.age"))
    assert len(bodies) >= 2
    for body in bodies:
        with pytest.raises((Untrusted, Malformed)):
            decrypt(body.read_bytes(), identity, plaintext_bytes_max=2 * RECORD_BYTES_MAX)


def test_past_epochs_cannot_sign_again_with_every_key_of_the_box(stolen: Stolen) -> None:
    """No private half of an epoch's key lies anywhere: every 32 bytes of every small file are tried as one."""
    at_rest = everything_that_opens(stolen)
    leaves = stolen.box.leaves()
    kinds = [parse_statement(leaf).unverified.kind for leaf in leaves]
    identity = stolen.box.request.identity_der
    publics = {
        verify_epoch_certificate(kind.certificate, identity).public for kind in kinds if isinstance(kind, EpochStart)
    }
    assert publics
    log_key = read_log_key(stolen.places.log_key, at_rest)
    private = stolen.thief.state / "recorder"
    files = [path for path in private.rglob("*") if path.is_file() and path.stat().st_size < 6_000]
    contents = [path.read_bytes() for path in files]
    contents += [at_rest.open(path.name, path.read_bytes()) for path in files if path.suffix == ".key"]
    contents.append(log_key.private_bytes_raw())
    for content in contents:
        for place in range(max(0, len(content) - 31)):
            seed = content[place : place + 32]
            assert Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() not in publics
    sealed = next(leaf for leaf, kind in zip(leaves, kinds, strict=True) if isinstance(kind, Sealed))
    forged = parse_sign1(sealed)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(next(iter(publics))).verify(log_key.sign(forged.payload), forged.payload)


def test_the_seeds_that_are_tried_would_be_found() -> None:
    """What the search above is worth: a seed inside other bytes is met by one of its windows."""
    key = Ed25519PrivateKey.generate()
    content = b"before" + key.private_bytes_raw() + b"after"
    windows = (content[place : place + 32] for place in range(len(content) - 31))
    public = key.public_key().public_bytes_raw()
    assert any(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() == public for seed in windows)


def test_a_copied_card_is_byte_for_byte_the_box_so_a_clone_forks_and_the_log_shows_it(stolen: Stolen) -> None:
    """What is stolen is what the box starts with: nothing of these tests rests on a card that was made for them."""
    for name in ("log/checkpoint", "recorder/log.key", "recorder/held-keys"):
        here, there = stolen.box.state / name, stolen.thief.state / name
        assert hashlib.sha256(here.read_bytes()).digest() == hashlib.sha256(there.read_bytes()).digest()
