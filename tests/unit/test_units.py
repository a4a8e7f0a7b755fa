"""The units: systemd has nothing to say about them, their exposure stays below its bound, and what they name exists."""

import argparse
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from appliance.__main__ import build_parser
from appliance.config import Config, parse_config

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
UNIT_FILES = [*SERVICES, *sorted(UNITS.glob("*.socket")), *sorted(UNITS.glob("*.target"))]
NONE_WITHOUT = ("socket", "module", "lid", "white", "infrared", "ultraviolet")
"""Keys of box.toml whose example is no default: without them there is no such thing."""
OFFLINE = ("booth", "recorder", "releases")
EXPOSURE_TIMES_TEN = {"booth": 10, "recorder": 10, "releases": 10, "uplink": 12, "audit": 12}
"""`--threshold` counts in tenths; the browser's exposure is as it is."""


@pytest.fixture
def analyze() -> str:
    command = shutil.which("systemd-analyze")
    if command is None:
        pytest.skip("systemd-analyze is missing (Debian package systemd)")
    return command


@pytest.fixture
def root() -> None:
    """systemd-tmpfiles hands files to users, below a folder of the test."""
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        pytest.skip("needs root")


def settings(unit: Path) -> dict[str, list[str]]:
    """All `Key=value` of a unit; a key may stand several times."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"([A-Za-z]+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def verbs() -> set[str]:
    """The verbs of landlink-box."""
    (choices,) = (
        action.choices for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(choices)


# --- systemd's own opinion --------------------------------------------------------------------------------------------


@pytest.mark.interop
@pytest.mark.parametrize("unit", [path.name for path in UNIT_FILES])
def test_systemd_has_nothing_to_say_about_a_unit(unit: str, analyze: str, tmp_path: Path) -> None:
    """A key that it does not know is only a warning to systemd-analyze: any output is a failure.

    The commands that are not installed here are stood in for by one that is; everything else is as shipped.
    """
    for path in UNIT_FILES:
        text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", path.read_text("utf-8"), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text, "utf-8")
    done = subprocess.run([analyze, "verify", tmp_path / unit], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.interop
@pytest.mark.parametrize(("unit", "tenths"), sorted(EXPOSURE_TIMES_TEN.items()))
def test_a_unit_is_exposed_no_more_than_readme_says(unit: str, tenths: int, analyze: str) -> None:
    command = [analyze, "security", "--offline=true", f"--threshold={tenths}", UNITS / f"{unit}.service"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    readme = (UNITS / "README.md").read_text("utf-8")
    assert re.search(rf"^\| `{unit}\.service` \|.*\| {tenths / 10} \|$", readme, re.MULTILINE)


@pytest.mark.interop
def test_the_exposure_test_can_fail(analyze: str, tmp_path: Path) -> None:
    """Without its sandbox the same unit is far beyond the bound."""
    text = re.sub(
        r"^(Protect|Private|Restrict|SystemCall).*\n",
        "",
        (UNITS / "recorder.service").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    (tmp_path / "recorder.service").write_text(text, "utf-8")
    command = [analyze, "security", "--offline=true", "--threshold=10", tmp_path / "recorder.service"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.interop
@pytest.mark.root
@pytest.mark.usefixtures("root")
def test_users_and_folders_come_out_as_declared_and_a_second_time_too(tmp_path: Path) -> None:
    """systemd-tmpfiles refuses to go from one user's folder into another's: that only shows at the second run."""
    for command in ("systemd-sysusers", "systemd-tmpfiles"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is missing (Debian package systemd)")
    for kind in ("sysusers", "tmpfiles"):
        folder = tmp_path / "usr" / "lib" / f"{kind}.d"
        folder.mkdir(parents=True)
        shutil.copy(UNITS / f"{kind}.conf", folder / "landlink.conf")
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], capture_output=True, check=True)
    for _ in range(2):
        command = ["systemd-tmpfiles", f"--root={tmp_path}", "--create", "landlink.conf"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stderr, done.returncode) == ("", 0)
    recorder, releases, uplink, audit = 942, 943, 944, 946
    owned = {
        "var/lib/landlink": (0, recorder, 0o775),
        "var/lib/landlink/recorder": (recorder, recorder, 0o700),
        "var/lib/landlink/uplink": (uplink, uplink, 0o700),
        "var/lib/landlink/audit": (audit, audit, 0o700),
        "var/lib/landlink/mirror": (uplink, uplink, 0o755),
        "var/lib/landlink/releases": (releases, releases, 0o755),
        "run/landlink": (0, recorder, 0o775),
        "run/landlink-uplink": (0, uplink, 0o775),
        "run/landlink-releases": (0, releases, 0o775),
    }
    for path, expected in owned.items():
        found = (tmp_path / path).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == expected, path


@pytest.mark.interop
@pytest.mark.root
@pytest.mark.usefixtures("root")
def test_the_firewall_is_one_that_the_kernel_takes() -> None:
    """`-c` checks and changes nothing."""
    command = shutil.which("nft")
    if command is None:
        pytest.skip("nft is missing (Debian package nftables)")
    done = subprocess.run([command, "-c", "-f", UNITS / "nftables.conf"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


# --- what the units name ----------------------------------------------------------------------------------------------


def test_every_process_starts_the_installed_command_with_a_verb_that_it_has() -> None:
    for unit in SERVICES:
        (command,) = settings(unit)["ExecStart"]
        if unit.stem == "kiosk":
            continue
        program, verb = command.split()
        assert program == "/opt/landlink/bin/landlink-box"
        assert verb == unit.stem
        assert verb in verbs()


@pytest.mark.parametrize("unit", OFFLINE)
def test_what_needs_no_network_has_none(unit: str) -> None:
    found = settings(UNITS / f"{unit}.service")
    assert found["PrivateNetwork"] == ["yes"]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX"]


def test_the_recorder_sees_who_knocks() -> None:
    """In a user namespace every foreign uid reads as nobody, and the doors could not tell the roles apart."""
    assert "PrivateUsers" not in settings(UNITS / "recorder.service")


@pytest.mark.parametrize("unit", ["uplink", "releases"])
def test_nobody_but_the_recorder_writes_where_its_doors_are(unit: str) -> None:
    found = settings(UNITS / f"{unit}.service")
    assert f"/run/landlink-{unit}:/run/landlink" in found["BindPaths"]
    assert "/run/landlink:/run/landlink-doors" in found["BindReadOnlyPaths"]
    assert not any("/run/landlink" in paths for paths in found.get("ReadWritePaths", []))


def test_the_uplink_reaches_neither_keys_nor_lists_nor_the_page() -> None:
    found = settings(UNITS / "uplink.service")
    assert {"-/var/lib/landlink/recorder", "-/var/lib/landlink/releases"} <= set(found["InaccessiblePaths"])
    assert found["IPAddressDeny"] == ["localhost"]
    firewall = (UNITS / "nftables.conf").read_text("utf-8")
    assert "meta skuid { $uplink, $audit } tcp dport $page_port drop" in firewall


def test_the_audit_writes_nothing_reaches_no_other_folder_and_starts_only_where_it_is_enabled() -> None:
    found = settings(UNITS / "audit.service")
    closed = {f"-/var/lib/landlink/{name}" for name in ("recorder", "uplink", "releases", "mirror", "down")}
    assert closed <= set(found["InaccessiblePaths"])
    assert "ReadWritePaths" not in found
    assert "BindPaths" not in found
    assert found["IPAddressDeny"] == ["localhost"]
    assert "audit.service" not in (UNITS / "landlink.target").read_text("utf-8")
    assert "\t\t# tcp dport 8443 accept" in (UNITS / "nftables.conf").read_text("utf-8")


def test_every_service_leaves_no_core_and_no_swap_and_comes_back() -> None:
    for unit in SERVICES:
        found = settings(unit)
        assert (found["LimitCORE"], found["MemorySwapMax"], found["Restart"]) == (["0"], ["0"], ["always"])
        assert found["StartLimitBurst"]
        assert found["MemoryMax"]
        assert found["TasksMax"]


def test_users_have_the_numbers_that_the_recorder_and_the_firewall_know() -> None:
    users = dict(re.findall(r"^u (landlink-\w+) +(\d+)", (UNITS / "sysusers.conf").read_text("utf-8"), re.MULTILINE))
    recorder = parse_config((UNITS / "box.toml").read_bytes()).recorder
    for role in ("booth", "uplink", "releases", "audit"):
        assert getattr(recorder, f"{role}_uid") == int(users[f"landlink-{role}"])
    firewall = (UNITS / "nftables.conf").read_text("utf-8")
    for role in ("uplink", "kiosk", "audit"):
        assert f"define {role} = {users[f'landlink-{role}']}\n" in firewall
    assert {settings(unit)["User"][0] for unit in SERVICES} == set(users)


def test_readme_has_a_row_for_every_unit_and_every_file() -> None:
    readme = (UNITS / "README.md").read_text("utf-8")
    for path in UNITS.iterdir():
        if path in UNIT_FILES:
            assert f"| `{path.name}` |" in readme
        elif path.name != "README.md":
            assert f"`{path.name}`" in readme


def test_the_folder_is_no_package() -> None:
    """`import systemd` must never find this folder instead of Debian's module."""
    assert not list(UNITS.rglob("*.py"))


# --- box.toml ---------------------------------------------------------------------------------------------------------


def keys(kind: type[msgspec.Struct], table: str = "") -> Iterator[tuple[str, str]]:
    """Every (table, key) of the configuration's tree."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from keys(field.type, field.name)
        else:
            yield table, field.name


def shown() -> dict[tuple[str, str], str]:
    """Every key of the example, set or commented out, with its text."""
    found: dict[tuple[str, str], str] = {}
    table = ""
    for line in (UNITS / "box.toml").read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            table = match[1]
        elif match := re.fullmatch(r"#?(\w+) = (.*)", line):
            found[table, match[1]] = match[2]
    return found


def test_the_example_holds_every_key_and_no_other() -> None:
    assert set(shown()) == set(keys(Config))


def test_the_example_is_a_configuration() -> None:
    config = parse_config((UNITS / "box.toml").read_bytes())
    assert config.box.mode.value == "live"


def test_a_key_that_is_commented_out_shows_what_holds_without_it() -> None:
    lines = (UNITS / "box.toml").read_text("utf-8").splitlines()
    plain = parse_config((UNITS / "box.toml").read_bytes())
    table = ""
    for line in lines:
        if match := re.fullmatch(r"\[(\w+)\]", line):
            table = match[1]
        elif (match := re.fullmatch(r"#(\w+) = (.*)", line)) and match[1] not in NONE_WITHOUT:
            said = tomllib.loads(f"{match[1]} = {match[2]}")[match[1]]
            assert getattr(getattr(plain, table), match[1]) == said, (table, match[1])
