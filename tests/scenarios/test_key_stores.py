"""One contract for every provider of the identity key: a file, a sealed file, SoftHSM, a TPM through tpm2-pkcs11."""

import contextlib
import os
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pkcs11
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from appliance.at_rest import AtRest
from drivers.api import DeviceError, KeyStore
from drivers.key_store import FileKeyStore
from drivers.token_key_store import IDENTITY, SEALING, TokenKeyStore
from tests.tokens import LABEL, PIN, SoftToken, Token, TpmToken

pytestmark = pytest.mark.interop
TOKENS = {"SoftHSM": "softhsm2-util", "TPM": "tpm2_ptool"}


@dataclass
class Provider:
    """A place for one identity key.

    Attributes:
        create: Makes the key.
        again: The store as another start of the process finds it.
        take_away, bring_back: What holds the key.
    """

    create: Callable[[], KeyStore]
    again: Callable[[], KeyStore]
    take_away: Callable[[], object]
    bring_back: Callable[[], object]


@contextlib.contextmanager
def token_of(kind: str) -> Generator[Token]:
    tool = TOKENS[kind]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is missing (tests/install-tools)")
    folder = Path(mkdtemp(prefix="t-"))  # short, for its sockets
    (folder / "store").mkdir()
    token = SoftToken(folder) if kind == "SoftHSM" else TpmToken(folder, folder / "store")
    before = {name: os.environ.get(name) for name in token.environment}
    os.environ.update(token.environment)
    try:
        yield token
    finally:
        pkcs11.lib(str(token.module)).finalize()  # lets go of the token before it is gone
        token.close()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder)


@pytest.fixture(params=sorted(TOKENS), scope="module")
def token(request: pytest.FixtureRequest) -> Generator[Token]:
    with token_of(request.param) as made:
        yield made


@pytest.fixture(params=["file", "sealed file", *sorted(TOKENS)])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Provider]:
    if request.param in TOKENS:
        with token_of(request.param) as made:
            yield Provider(lambda: made_in(made), lambda: store_of(made), made.take_away, made.bring_back)
        return
    path, away = tmp_path / "identity.key", tmp_path / "away"
    at_rest = None if request.param == "file" else AtRest(bytes(range(32)), plain=False)
    yield Provider(
        lambda: FileKeyStore.create(path, at_rest),
        lambda: FileKeyStore(path, at_rest),
        lambda: path.rename(away),
        lambda: away.rename(path),
    )


def store_of(token: Token, pin: str = PIN) -> TokenKeyStore:
    return TokenKeyStore(token.module, LABEL, lambda: pin)


def made_in(token: Token) -> TokenKeyStore:
    store = store_of(token)
    store.create()
    return store


def verify(public_der: bytes, signature: bytes, message: bytes) -> None:
    """By cryptography, from the raw r || s of RFC 9053 §2.1."""
    assert len(signature) == 64
    public = load_der_public_key(public_der)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert isinstance(public.curve, ec.SECP256R1)
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    public.verify(der, message, ec.ECDSA(hashes.SHA256()))


# --- every provider ---------------------------------------------------------------------------------------------------


def test_a_made_key_signs_and_its_public_half_verifies(provider: Provider) -> None:
    store = provider.create()
    for message in (b"", b"a statement", bytes(100_000)):
        verify(store.public_key_der(), store.sign(message), message)
    with pytest.raises(InvalidSignature):
        verify(store.public_key_der(), store.sign(b"a statement"), b"another")


def test_the_key_is_the_same_after_a_restart(provider: Provider) -> None:
    public = provider.create().public_key_der()
    again = provider.again()
    assert again.public_key_der() == public
    verify(public, again.sign(b"after"), b"after")


def test_a_provider_that_was_away_is_there_again_without_a_hand(provider: Provider) -> None:
    public = provider.create().public_key_der()
    provider.take_away()
    with pytest.raises(DeviceError):
        provider.again().public_key_der()
    provider.bring_back()
    verify(public, provider.again().sign(b"back"), b"back")


def test_before_there_is_a_key_it_says_so(provider: Provider) -> None:
    with pytest.raises(DeviceError, match=r"the identity key cannot be read|has no key 'landlink identity'"):
        provider.again().public_key_der()


# --- tokens alone -----------------------------------------------------------------------------------------------------


def test_a_process_that_runs_on_signs_again_when_its_token_comes_back(token: Token) -> None:
    store = made_in(token)
    public = store.public_key_der()
    store.sign(b"before")
    token.take_away()
    for _ in range(2):
        with pytest.raises(DeviceError):
            store.sign(b"away")
    token.bring_back()
    verify(public, store.sign(b"back"), b"back")


def test_making_keys_again_replaces_none(token: Token) -> None:
    store = made_in(token)
    public, sealed = store.public_key_der(), store.seal(b"secret")
    store.create()
    assert store_of(token).public_key_der() == public
    assert store_of(token).open(sealed) == b"secret"


def test_the_private_keys_never_leave_the_token(token: Token) -> None:
    """Asked with the PIN, in the token's own words: sensitive, never extractable, and no value is given."""
    made_in(token)
    library = pkcs11.lib(str(token.module))
    library.reinitialize()
    with library.get_token(token_label=LABEL).open(user_pin=PIN) as session:
        for label, secret in ((IDENTITY, pkcs11.Attribute.VALUE), (SEALING, pkcs11.Attribute.PRIVATE_EXPONENT)):
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
            assert key[pkcs11.Attribute.SENSITIVE] is True
            assert key[pkcs11.Attribute.EXTRACTABLE] is False
            assert key[pkcs11.Attribute.NEVER_EXTRACTABLE] is True
            assert key[pkcs11.Attribute.LOCAL] is True
            with pytest.raises(pkcs11.PKCS11Error):
                key[secret]


def test_a_refused_pin_is_tried_once_and_stands_in_no_error(token: Token) -> None:
    """Tokens lock themselves: a service that asks each second must not use up the tries."""
    made_in(token)
    asked: list[str] = []

    def wrong() -> str:
        asked.append("asked")
        return "00112233"

    store = TokenKeyStore(token.module, LABEL, wrong)
    for _ in range(5):
        with pytest.raises(DeviceError, match="refuses the PIN") as refusal:
            store.sign(b"x")
        assert "00112233" not in str(refusal.value)
    assert asked == ["asked"]
    store_of(token).sign(b"the right one still works")


def test_what_is_sealed_to_a_token_opens_there_alone(token: Token) -> None:
    sealed = made_in(token).seal(bytes(range(32)))
    assert store_of(token).open(sealed) == bytes(range(32))
    with token_of("SoftHSM") as other, pytest.raises(DeviceError):
        made_in(other).open(sealed)


@pytest.mark.parametrize(("module", "label", "words"), [
    ("/nowhere/libtoken.so", LABEL, "library /nowhere/libtoken.so cannot be used"),
    ("", "another", "no token with the label 'another'"),
])  # fmt: skip
def test_what_is_wrong_with_the_configuration_is_said(token: Token, module: str, label: str, words: str) -> None:
    store = TokenKeyStore(Path(module) if module else token.module, label, lambda: PIN)
    with pytest.raises(DeviceError, match=words):
        store.public_key_der()
