"""Give this box the keys that its secrets are sealed under: credentials, kept encrypted by systemd-creds (run as root).

Before enrolment, so that no secret ever lies open on the card; afterwards the processes seal what they find at their
next start, but a card may still hold what was once written to it. Sealing again, by another key of systemd, keeps the
keys and wraps them anew. What is written is opened again: a box that could not start after a power cut shows here.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from appliance.at_rest import KEY_BYTES, sealed
from appliance.credentials import AUDIT, DECRYPT_TIMEOUT_S, PIN, RECORDER, UPLINK, by_tpm, credential
from appliance.enrol.places import rights_of
from appliance.errors import ConfigError, Refused
from appliance.files import storage, write_durably

WithKey = Literal["auto", "host", "tpm2", "host+tpm2"]
PIN_BYTES_MAX: Final = 64
NO_ENVIRONMENT: Final[Mapping[str, str]] = {}


def seal_box(
    store: Path, *, with_key: WithKey, pin: bytes | None, tpm2_device: str = "", in_use: Path | None = None
) -> None:
    """Make what is missing of the sealing keys, and keep all of them, and the PIN, under `with_key`.

    Args:
        store: Where they are kept: where systemd looks for encrypted credentials, or another folder.
        with_key: As systemd-creds has it: "host" is a key of this machine, on this card; "tpm2" its TPM.
        pin: The token's; None keeps the one that is there, if any.
        tpm2_device: As `credential`.
        in_use: Where this box has its keys already, when `store` is another folder: it gets the same ones.

    Raises:
        Refused: Not root.
        ConfigError: systemd-creds cannot do it; what was there is as it was.
        StorageFull, StorageFault: Something could not be written.
    """
    if os.geteuid() != 0:
        raise Refused("credentials are root's: sudo landlink-box seal")
    if pin is not None and not 0 < len(pin.strip()) <= PIN_BYTES_MAX:
        raise ConfigError(f"a PIN has 1 to {PIN_BYTES_MAX} bytes")
    with storage(f"making {store}"):
        store.mkdir(mode=0o700, parents=True, exist_ok=True)

    def there(name: str) -> bytes | None:
        kept = _there(store, name, tpm2_device)
        return _there(in_use, name, tpm2_device) if kept is None and in_use is not None else kept

    secrets = {name: there(name) or os.urandom(KEY_BYTES) for name in (RECORDER, UPLINK, AUDIT)}
    pin = there(PIN) if pin is None else pin.strip()
    if pin is not None:
        secrets[PIN] = pin
    for name, secret in secrets.items():
        write_durably(store / name, _encrypted(name, secret, with_key, tpm2_device), mode=0o600)
        if _there(store, name, tpm2_device) != secret:
            raise ConfigError(f"{store / name} does not open again: do not enrol this box, its systemd-creds is broken")


def seal_audit(audit_key: Path, store: Path, *, tpm2_device: str = "") -> None:
    """Seal the TLS key of the process `audit`, which may write nothing and cannot do it itself.

    It is done as the owner of its folder: a link that he laid there leads root nowhere.

    Args:
        audit_key: Where it lies, if this box has one.
        store: As `seal_box`, which has made its sealing key.
        tpm2_device: As `credential`.

    Raises:
        ConfigError: The sealing key does not open.
        StorageFull, StorageFault: It lies as it lay.
    """
    key = credential(AUDIT, NO_ENVIRONMENT, store, tpm2_device=tpm2_device)
    if audit_key.parent.is_dir():
        with rights_of(audit_key.parent), storage("sealing the audit's key"):
            if audit_key.exists():
                sealed(key, (), audit_key)


def _there(store: Path, name: str, tpm2_device: str) -> bytes | None:
    return credential(name, NO_ENVIRONMENT, store, tpm2_device=tpm2_device)


def _encrypted(name: str, secret: bytes, with_key: WithKey, tpm2_device: str) -> bytes:
    """The secret goes by a pipe: an argument would be seen by every process."""
    command = ["systemd-creds", "encrypt", f"--name={name}", f"--with-key={with_key}", *by_tpm(tpm2_device), "-", "-"]
    try:
        done = subprocess.run(command, input=secret, capture_output=True, check=False, timeout=DECRYPT_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        raise ConfigError("systemd-creds does not answer (Debian package systemd, 252 or later)") from None
    if done.returncode != 0:
        raise ConfigError(
            f"systemd-creds cannot encrypt with the key {with_key}: is there a TPM? (systemd-creds has-tpm2)"
        )
    return done.stdout
