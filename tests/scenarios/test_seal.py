"""landlink-box seal: credentials that systemd-creds keeps by this machine's key or its TPM, and opens here alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from appliance.at_rest import MAGIC, AtRest
from appliance.credentials import AUDIT, PIN, RECORDER, STORE, UPLINK, credential
from appliance.enrol.seal import seal_audit, seal_box
from appliance.errors import ConfigError, StorageFault
from tests.scenarios.made_headquarters import box_toml
from tests.tokens import TpmToken

pytestmark = [pytest.mark.interop, pytest.mark.root]
OWNER = 65_534
NAMES = (RECORDER, UPLINK, AUDIT)


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: credentials are root's")
    if shutil.which("systemd-creds") is None:
        pytest.skip("systemd-creds is missing (Debian package systemd)")


@pytest.fixture
def tpm() -> Generator[TpmToken]:
    if shutil.which("swtpm") is None:
        pytest.skip("swtpm is missing (tests/install-tools)")
    folder = Path(mkdtemp(prefix="t-"))
    made = TpmToken(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


def kept(store: Path, tpm2_device: str = "") -> dict[str, bytes | None]:
    return {name: credential(name, {}, store, tpm2_device=tpm2_device) for name in (*NAMES, PIN)}


def test_each_process_has_a_sealing_key_of_its_own_that_root_alone_may_read(tmp_path: Path) -> None:
    seal_box(tmp_path / "store", with_key="host", pin=None)
    found = kept(tmp_path / "store")
    assert {len(found[name] or b"") for name in NAMES} == {32}
    assert len({found[name] for name in NAMES}) == 3
    assert found[PIN] is None
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "store").iterdir()} == {0o600}


def test_sealing_again_keeps_the_keys_and_a_pin_until_another_is_given(tmp_path: Path) -> None:
    seal_box(tmp_path, with_key="host", pin=b"24681357\n")
    before = kept(tmp_path)
    seal_box(tmp_path, with_key="host", pin=None)
    assert kept(tmp_path) == before
    assert before[PIN] == b"24681357"
    seal_box(tmp_path, with_key="host", pin=b"11223344")
    assert kept(tmp_path) == {**before, PIN: b"11223344"}


def test_from_the_hosts_key_to_the_tpm_the_keys_stay_and_the_host_alone_opens_them_no_more(
    tmp_path: Path, tpm: TpmToken
) -> None:
    seal_box(tmp_path, with_key="host", pin=None)
    before = kept(tmp_path)
    seal_box(tmp_path, with_key="tpm2", pin=None, tpm2_device=tpm.device)
    assert kept(tmp_path, tpm.device) == before
    tpm.take_away()
    with pytest.raises(ConfigError, match="does not open on this machine"):
        credential(RECORDER, {}, tmp_path, tpm2_device=tpm.device)


def test_without_a_tpm_what_was_there_stays(tmp_path: Path, tpm: TpmToken) -> None:
    seal_box(tmp_path, with_key="host", pin=None)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    tpm.take_away()
    with pytest.raises(ConfigError, match="cannot encrypt with the key tpm2"):
        seal_box(tmp_path, with_key="tpm2", pin=None, tpm2_device=tpm.device)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_credential_that_was_changed_or_stands_under_another_name_does_not_open(tmp_path: Path) -> None:
    seal_box(tmp_path, with_key="host", pin=None)
    (tmp_path / UPLINK).write_bytes((tmp_path / RECORDER).read_bytes())
    changed = bytearray((tmp_path / AUDIT).read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / AUDIT).write_bytes(changed)
    for name in (UPLINK, AUDIT):
        with pytest.raises(ConfigError, match="does not open on this machine"):
            credential(name, {}, tmp_path)


def test_another_folder_gets_the_keys_that_the_box_has_already(tmp_path: Path) -> None:
    """Else whoever copied them over would shut the box out of its own secrets."""
    seal_box(tmp_path / "store", with_key="host", pin=b"1234")
    seal_box(tmp_path / "out", with_key="host", pin=None, in_use=tmp_path / "store")
    assert kept(tmp_path / "out") == kept(tmp_path / "store")


def test_the_command_seals_into_the_folder_that_is_named_and_nothing_where_systemd_looks(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_bytes(box_toml(tmp_path))
    key = tmp_path / "state" / "audit" / "tls.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"a key")
    before = sorted(STORE.iterdir()) if STORE.exists() else None
    command = [sys.executable, "-m", "appliance", "--config", tmp_path / "box.toml", "seal", "--with-key", "host"]
    done = subprocess.run([*command, "--out", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"lie in {tmp_path / 'out'}" in done.stdout
    assert f"copy them to {STORE}" in done.stdout
    assert {name for name, secret in kept(tmp_path / "out").items() if secret} == set(NAMES)
    assert key.read_bytes() == b"a key"  # sealed under a key that systemd does not hand out, it would never open again
    assert (sorted(STORE.iterdir()) if STORE.exists() else None) == before


@pytest.mark.parametrize("pin", [b"", b" \n", bytes(65)])
def test_what_is_no_pin_is_refused_before_anything_is_written(tmp_path: Path, pin: bytes) -> None:
    with pytest.raises(ConfigError, match="1 to 64 bytes"):
        seal_box(tmp_path / "store", with_key="host", pin=pin)
    assert not (tmp_path / "store").exists()


def test_what_systemd_gave_a_process_comes_before_what_lies_on_the_card(tmp_path: Path) -> None:
    seal_box(tmp_path / "store", with_key="host", pin=None)
    given = tmp_path / "given"
    given.mkdir()
    environment = {"CREDENTIALS_DIRECTORY": str(given)}
    assert credential(RECORDER, environment, tmp_path / "store") is None
    (given / RECORDER).write_bytes(b"given")
    assert credential(RECORDER, environment, tmp_path / "store") == b"given"


def test_the_audits_key_is_sealed_and_stays_its_owners(tmp_path: Path) -> None:
    seal_box(tmp_path / "store", with_key="host", pin=None)
    key = tmp_path / "audit" / "tls.key"
    seal_audit(key, tmp_path / "store")  # a box that has none
    key.parent.mkdir(mode=0o700)
    key.write_bytes(b"a key")
    for path in (key.parent, key):
        os.chown(path, OWNER, OWNER)
    openly(tmp_path)
    seal_audit(key, tmp_path / "store")
    assert key.read_bytes().startswith(MAGIC)
    assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (OWNER, 0o600)
    assert AtRest(credential(AUDIT, {}, tmp_path / "store")).read(key, 100) == b"a key"


def test_a_link_in_the_audits_folder_leads_root_nowhere(tmp_path: Path) -> None:
    """Whoever has taken that process over names a file that he may not read, and waits for somebody to seal."""
    seal_box(tmp_path / "store", with_key="host", pin=None)
    roots = tmp_path / "roots"
    roots.write_bytes(b"of root alone")
    roots.chmod(0o600)
    key = tmp_path / "audit" / "tls.key"
    key.parent.mkdir(mode=0o700)
    os.chown(key.parent, OWNER, OWNER)
    key.symlink_to(roots)
    openly(tmp_path)
    with pytest.raises(StorageFault, match=r"tls\.key: Permission denied"):
        seal_audit(key, tmp_path / "store")
    assert roots.read_bytes() == b"of root alone"
    assert key.is_symlink()


def openly(folder: Path) -> None:
    """Let everybody pass through the test's own folders."""
    for each in (folder, *folder.parents[:3]):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(each.stat().st_mode | 0o011)
