"""Small secrets that systemd hands to a process when it starts (systemd.exec, Credentials): sealing keys and the PIN.

systemd keeps them encrypted, by the TPM or by a key of this machine, decrypts them when it starts the unit, and shows
them to that unit alone, in memory. A command that root starts by hand has none, and asks systemd-creds for them.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError
from appliance.files import read_regular

RECORDER: Final = "landlink.recorder"
"""Seals the recorder's secrets."""
UPLINK: Final = "landlink.uplink"
"""Seals the uplink's."""
AUDIT: Final = "landlink.audit"
"""Seals the audit's."""
PIN: Final = "landlink.pin"
"""The token's."""
STORE: Final = Path("/etc/credstore.encrypted")
"""Where systemd looks for them (LoadCredentialEncrypted=), 252 and later."""
CREDENTIAL_BYTES_MAX: Final = 4_096
DECRYPT_TIMEOUT_S: Final = 60.0


def credential(
    name: str, environment: Mapping[str, str], store: Path = STORE, *, tpm2_device: str = ""
) -> bytes | None:
    """The credential, None where this box has none of that name.

    Args:
        name: One of those above.
        environment: Of this process.
        store: Where they lie encrypted.
        tpm2_device: Which TPM opens them; the machine's own unless one is named.

    Raises:
        ConfigError: There is one, and it cannot be read or decrypted on this machine.
    """
    given = environment.get("CREDENTIALS_DIRECTORY")
    if given is not None:
        return _given(Path(given) / name)
    if os.geteuid() != 0 or not (store / name).exists():
        return None
    command = ["systemd-creds", "decrypt", f"--name={name}", *by_tpm(tpm2_device), str(store / name), "-"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=DECRYPT_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        raise ConfigError(f"{store / name}: systemd-creds does not answer") from None
    if done.returncode != 0:
        raise ConfigError(f"{store / name} does not open on this machine: was the card moved, or the TPM cleared?")
    return done.stdout


def by_tpm(device: str) -> tuple[str, ...]:
    """What tells systemd-creds to use this TPM."""
    return (f"--tpm2-device={device}",) if device else ()


def _given(path: Path) -> bytes | None:
    try:
        return read_regular(path, CREDENTIAL_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"credential {path.name}: {error.strerror}") from None
