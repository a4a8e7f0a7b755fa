"""Keys and processes (systemd/README.md, "Keys"): each user of the box tries to open each secret, with its own uid."""

import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from appliance.at_rest import OPEN
from appliance.config import parse_config
from appliance.record.places import Places
from tests.scenarios.made_headquarters import ask, box_toml

pytestmark = [pytest.mark.interop, pytest.mark.root]
UNITS = Path(__file__).parents[2] / "systemd"
USERS = {"booth": 941, "recorder": 942, "releases": 943, "uplink": 944, "kiosk": 945, "audit": 946}
OWNERS = {
    "recorder/identity.key": "recorder",
    "recorder/log.key": "recorder",
    "recorder/age.identity": "recorder",
    "recorder/held-keys": "recorder",
    "recorder/not-same.key": "recorder",
    "recorder/case-keys/00.key": "recorder",
    "recorder/sealing.token": "recorder",
    "uplink/tls.key": "uplink",
    "audit/tls.key": "audit",
}
"""An epoch's key is in no file: memory only (test_stolen_disk.py)."""
TRY = 'for path; do (: <"$path") 2>/dev/null && echo "$path"; (: >>"$path") 2>/dev/null && echo "$path"; done; :'


@pytest.fixture
def state() -> Generator[Path]:
    """A box's folder as systemd-tmpfiles makes it, with the keys that its own code puts there, twice handed over."""
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        pytest.skip("needs root")
    if shutil.which("systemd-tmpfiles") is None:
        pytest.skip("systemd-tmpfiles is missing (Debian package systemd)")
    root = Path(mkdtemp(prefix="w-"))
    root.chmod(0o755)
    for kind in ("sysusers", "tmpfiles"):
        (root / f"usr/lib/{kind}.d").mkdir(parents=True)
        shutil.copy(UNITS / f"{kind}.conf", root / f"usr/lib/{kind}.d/landlink.conf")
    (root / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={root}"], capture_output=True, check=True)
    tmpfiles = ["systemd-tmpfiles", f"--root={root}", "--create", "landlink.conf"]
    subprocess.run(tmpfiles, capture_output=True, check=True)
    made = root / "var/lib/landlink"
    toml = box_toml(root).decode().replace(f"{root}/state", str(made))
    ask(parse_config(toml.encode()))
    places = Places(made, root / "run")
    places.case_keys.mkdir(mode=0o700)
    for path in (places.held_keys, places.not_same_key, places.case_keys / "00.key", places.token_sealed):
        OPEN.write(path, b"a synthetic secret")
    subprocess.run(tmpfiles, capture_output=True, check=True)
    yield made
    shutil.rmtree(root)


def opened_by(user: str, state: Path) -> set[str]:
    """What this user opens, for reading or writing."""
    command = ["/bin/sh", "-c", TRY, "sh", *(str(state / name) for name in OWNERS)]
    uid = USERS[user]
    done = subprocess.run(
        command, user=uid, group=uid, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return {str(Path(line).relative_to(state)) for line in done.stdout.splitlines()}


def test_every_secret_is_in_the_table(state: Path) -> None:
    """Whatever is not for all to read is one: a new key file has to be given an owner here."""
    closed = {
        str(path.relative_to(state)) for path in state.rglob("*") if path.is_file() and not path.stat().st_mode & 0o077
    }
    assert closed == set(OWNERS)


def test_each_key_opens_for_its_own_process_and_for_no_other(state: Path) -> None:
    found = {user: opened_by(user, state) for user in USERS}
    assert found == {user: {name for name, owner in OWNERS.items() if owner == user} for user in USERS}


def test_each_sealing_key_is_handed_to_its_own_unit_and_the_pin_to_the_recorder() -> None:
    handed = {
        unit.stem: [
            line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith("LoadCredential")
        ]
        for unit in UNITS.glob("*.service")
    }
    assert {unit: names for unit, names in handed.items() if names} == {
        "recorder": ["landlink.recorder", "landlink.pin"],
        "uplink": ["landlink.uplink"],
        "audit": ["landlink.audit"],
    }


def test_no_unit_is_handed_a_secret_by_argument_or_environment() -> None:
    for unit in UNITS.glob("*.service"):
        text = unit.read_text()
        for word in ("SetCredential=", "PassEnvironment", "EnvironmentFile", "pin=", "PIN="):
            assert word not in text, unit.name
