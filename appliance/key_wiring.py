"""Where the keys of this box are: in a token or in files, sealed or open; for processes and for what root runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.at_rest import AtRest, key_of, sealed
from appliance.config import Config
from appliance.credentials import AUDIT, PIN, RECORDER, UPLINK, credential
from appliance.errors import ConfigError
from drivers.api import DeviceError, KeyStore

if TYPE_CHECKING:
    from appliance.clock import Clock
    from appliance.enrol.places import EnrolmentPlaces, Sealing
    from appliance.record.places import Places
    from appliance.record.signing import Signing
    from drivers.token_key_store import TokenKeyStore


def token_of(config: Config) -> "TokenKeyStore | None":
    """The token with the identity key, None where it lies in a file; one a process, so that no PIN is tried twice."""
    if config.keys.provider == "file":
        return None
    try:
        from drivers.token_key_store import TokenKeyStore
    except ModuleNotFoundError:
        raise ConfigError("box.toml: keys.provider is pkcs11, but python-pkcs11 is not installed") from None
    assert config.keys.module is not None, "parse_config saw to it"
    return TokenKeyStore(Path(config.keys.module), config.keys.token, _pin)


def _pin() -> str:
    given = credential(PIN, os.environ)
    if given is None:
        raise DeviceError("the token's PIN was not given to this process: landlink-box seal --pin FILE, then restart")
    return given.decode("utf-8", "replace").strip()


def at_rest_of(name: str, path: Path) -> AtRest:
    """How a process's one secret lies at `path`, under the credential `name`; sealed now if it was not."""
    return sealed(credential(name, os.environ), (), path)


def signing_of(config: Config, places: "Places", clock: "Clock", token: "TokenKeyStore | None") -> "Signing":
    """What the recorder signs with; what of its secrets lies open is sealed first.

    Raises:
        DeviceError: The token is away, or the identity key cannot be used.
        Untrusted: A key is another than the one that this box was enrolled with.
        StorageFull, StorageFault: The card.
    """
    from importlib.metadata import version

    from appliance.record.keys import check_identity, read_log_key, seal_secrets
    from appliance.record.signing import Signing
    from drivers.key_store import FileKeyStore

    key = credential(RECORDER, os.environ) if token is None else key_of(token, places.token_sealed)
    identity = FileKeyStore(places.identity_key, AtRest(key)) if token is None else token
    check_identity(places, identity.public_key_der())
    at_rest = seal_secrets(places, key, identity.public_key_der())
    return Signing(
        serial=config.box.serial,
        identity=identity,
        log_key=read_log_key(places.log_key, at_rest),
        mode=config.box.mode,
        software=version("landlink"),
        clock=clock,
        at_rest=at_rest,
        kept=_kept(config, sealed=key is not None),
    )


def _kept(config: Config, *, sealed: bool) -> str:
    if config.keys.provider == "pkcs11":
        return f"identity in the token {config.keys.token!r}; the others in files that only this token opens"
    if sealed:
        return "in files, sealed under a credential of systemd (systemd/README.md, Keys, says what a thief gains)"
    return "in files that lie OPEN: whoever takes the card has the lists and can sign as this box (landlink-box seal)"


def identity_for_enrolment(places: "EnrolmentPlaces", token: "TokenKeyStore | None") -> KeyStore:
    """The identity key, made where there is none. Raises DeviceError, Untrusted."""
    from drivers.key_store import FileKeyStore

    if token is not None:
        if not places.checkpoint.exists():  # a box that has recorded has its keys, or needs a new serial
            token.create()
        return token
    at_rest = AtRest(credential(RECORDER, os.environ))
    if places.identity_key.exists():
        return FileKeyStore(places.identity_key, at_rest)
    return FileKeyStore.create(places.identity_key, at_rest)


def sealing_of(places: "EnrolmentPlaces", token: "TokenKeyStore | None", recorder: "Places") -> "Sealing":
    """How the keys of all processes lie, for commands that root runs."""
    from appliance.enrol.places import Sealing
    from appliance.record.keys import secrets_of

    key = credential(RECORDER, os.environ) if token is None else key_of(token, places.token_sealed, make=True)
    running = places.checkpoint.exists()  # a recorder that has its keys open seals them itself, when it starts anew
    return Sealing(
        recorder=AtRest(key) if running else sealed(key, secrets_of(recorder), places.log_key),
        uplink=at_rest_of(UPLINK, places.tls_key),
        audit=at_rest_of(AUDIT, places.audit_key),
    )
