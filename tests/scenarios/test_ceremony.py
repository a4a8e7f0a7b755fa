"""Two persons on two machines sign one session: what they see is what is published, and nothing else gets through."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from appliance.errors import LandlinkError, Malformed, NoInput, Refused, Untrusted
from appliance.formats.enrolment import fingerprint
from provisioning.authority.ceremony import begin, finish
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from provisioning.authority.published import Published
from provisioning.authority.recipients import published_recipients
from provisioning.authority.repository import Repository
from provisioning.authority.roles import OFFLINE_KEYS, ROOT_KEYS
from provisioning.authority.roster import read_roster
from provisioning.authority.session import SESSION, Session, read_session, write_signatures
from provisioning.authority.signing import signer_of
from provisioning.authority.signings import signings
from tests.cut_at_rename import came_through
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters

HQ = Path(sys.executable).parent / "landlink-hq"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    home = headquarters(folder / "hq")
    Box(home, folder / "box")
    holders = folder / "holders"
    holders.mkdir()
    for name in (*ROOT_KEYS, *OFFLINE_KEYS):
        home.key(name).rename(holders / f"{name}.pem")
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    """Headquarters without a key of any of the three persons."""
    return Home.open(Path(shutil.copytree(made / "hq", tmp_path / "hq")))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "stick"


@pytest.fixture
def sign(made: Path, home: Home, stick: Path) -> Callable[..., Session]:
    """At a holder's machine: it has the stick, one key, and the fingerprint that a box shows."""
    root = root_of(home)

    def sign(*names: str, folder: Path = stick) -> Session:
        for name in names:
            write_signatures(folder, read_session(folder, root=root), signer_of(made / "holders" / f"{name}.pem"))
        return read_session(folder, root=root)

    return sign


def root_of(home: Home) -> str:
    return fingerprint(Published(home.folder).root())


def revoking(home: Home, stick: Path) -> Session:
    return begin(home, stick, "revoke", "LA-0001", None, at_ms=NOW_MS + 1)


def revoked(home: Home) -> bool:
    box = read_roster(home).box("LA-0001")
    assert box is not None
    return box.revoked


def command(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HQ, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def line_of(output: str, begins: str) -> str:
    (line,) = [line for line in output.splitlines() if line.startswith(begins)]
    return line.removeprefix(begins).strip()


# --- as two persons do it ---------------------------------------------------------------------------------------------


def test_an_offline_key_is_replaced_by_two_persons_whose_machines_have_one_medium_each(
    made: Path, home: Home, tmp_path: Path
) -> None:
    """By the commands alone; the new key is made by its holder and never leaves that machine."""
    machines = [tmp_path / f"machine-{number}" for number in (1, 2, 3)]
    for machine, *names in zip(machines, ROOT_KEYS, OFFLINE_KEYS, strict=True):
        machine.mkdir()
        for name in names:
            shutil.copyfile(made / "holders" / f"{name}.pem", machine / f"{name}.pem")
    (machines[1] / "offline-2.pem").unlink()  # stolen
    made_key = command(machines[1], "make-key", "offline-2.pem", "--public", tmp_path / "offline-2.pub")
    assert made_key.returncode == 0, made_key.stderr
    arguments = ("begin", tmp_path / "stick", "replace-key", "offline-2", "--public", tmp_path / "offline-2.pub")
    begun = command(tmp_path, "--home", home.folder, "ceremony", *arguments)
    assert begun.returncode == 0, begun.stderr
    assert "ceremony sign DIR --key FILE --session FINGERPRINT --root FINGERPRINT" in begun.stdout
    told = line_of(begun.stdout, "Fingerprint of this session:")
    assert line_of(begun.stdout, "  key offline-2:").endswith(made_key.stdout.splitlines()[0].rpartition(": ")[2])
    for machine, names in ((machines[0], ("root-1", "offline-1")), (machines[2], ("root-3", "offline-3"))):
        early = command(tmp_path, "--home", home.folder, "ceremony", "finish", tmp_path / "stick")
        assert early.returncode == 77
        assert "signatures are lacking" in early.stderr
        keys = [word for name in names for word in ("--key", f"{name}.pem")]
        options = (*keys, "--session", told, "--root", root_of(home))
        signed = command(machine, "ceremony", "sign", tmp_path / "stick", *options)
        assert signed.returncode == 0, signed.stderr
    done = command(tmp_path, "--home", home.folder, "ceremony", "finish", tmp_path / "stick")
    assert done.returncode == 0, done.stderr
    assert {line.partition(":")[0] for line in map(str, signings(home))} >= {"root 2", "targets 2", "roster 3"}
    names = {path.name for path in machines[1].iterdir()}
    assert names == {"root-2.pem", "offline-2.pem"}
    follow = tmp_path / "next"
    begin(home, follow, "revoke", "LA-0001", None, at_ms=published_ms(home) + 1)
    for machine, name in ((machines[1], "offline-2"), (machines[2], "offline-3")):
        write_signatures(follow, read_session(follow, root=root_of(home)), signer_of(machine / f"{name}.pem"))
    finish(home, follow, at_ms=published_ms(home) + 1)
    assert revoked(home)
    renewal = begin(home, tmp_path / "renewal", "renew", "", None, at_ms=published_ms(home) + 1)
    stolen = signer_of(made / "holders" / "offline-2.pem")
    with pytest.raises(Refused, match="that key signs nothing here"):
        write_signatures(tmp_path / "renewal", renewal, stolen)


def published_ms(home: Home) -> int:
    policy = Published(home.folder).target("policy/policy.json")
    assert policy is not None
    return int(json.loads(policy)["signed_ms"])


def test_partly_signed_is_fine_and_a_holder_counts_once(home: Home, stick: Path, sign: Callable[..., Session]) -> None:
    revoking(home, stick)
    assert sign("offline-2", "offline-2").signers == ("offline-2",)
    with pytest.raises(Refused, match="roster: 1 more of offline-1, offline-3"):
        finish(home, stick, at_ms=NOW_MS + 2)
    (one,) = (stick / "signed").iterdir()
    shutil.copyfile(one, one.with_name(f"{'0' * 64}.json"))
    with pytest.raises(Untrusted, match="does not hold, or counts for nothing here"):
        sign("offline-3")
    one.with_name(f"{'0' * 64}.json").unlink()
    assert not revoked(home)
    assert sign("offline-3").signers == ("offline-2", "offline-3")
    finish(home, stick, at_ms=NOW_MS + 2)
    assert revoked(home)
    release = Repository(home.folder).version()
    finish(home, stick, at_ms=NOW_MS + 3)  # done again: nothing more is published
    assert Repository(home.folder).version() == release


def test_no_private_key_is_in_the_folder(made: Path, home: Home, stick: Path, sign: Callable[..., Session]) -> None:
    begin(home, stick, "rotate", "snapshot", None, at_ms=NOW_MS + 1)
    sign("root-1", "root-2")
    content = b"".join(path.read_bytes() for path in sorted(stick.rglob("*")) if path.is_file())
    keys = [*(made / "holders").iterdir(), *home.keys.glob("*.pem")]
    for path in keys:
        if "mldsa" in path.name:
            continue
        raw = load_ed25519(path).private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        assert raw not in content
        assert raw.hex().encode() not in content
    assert b"PRIVATE" not in content
    assert len(keys) > 10


def test_all_is_renewed_before_it_ends(home: Home, stick: Path, sign: Callable[..., Session]) -> None:
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    sign("root-1", "root-3", "offline-1", "offline-2")
    finish(home, stick, at_ms=NOW_MS + 1)
    last = {step.role: step.version for step in signings(home)}
    assert last == {"root": 2, "targets": 2, "recipients": 2, "roster": 3}


# --- what a stranger does to the stick --------------------------------------------------------------------------------


def test_a_session_of_another_headquarters_is_refused_by_its_fingerprint(
    home: Home, stick: Path, tmp_path: Path
) -> None:
    other = headquarters(tmp_path / "other")
    begin(other, stick, "rotate", "record", None, at_ms=NOW_MS + 1)
    with pytest.raises(Untrusted, match=f"of the headquarters {root_of(other)}, not of {root_of(home)}"):
        read_session(stick, root=root_of(home))
    with pytest.raises(Untrusted, match="of the headquarters"):
        finish(home, stick, at_ms=NOW_MS + 1)


def test_a_session_that_was_swapped_is_refused_by_what_was_told(made: Path, home: Home, tmp_path: Path) -> None:
    told = revoking(home, tmp_path / "told").fingerprint
    begin(home, tmp_path / "swapped", "rotate", "record", None, at_ms=NOW_MS + 1)
    key = made / "holders" / "offline-1.pem"
    options = ("--key", key, "--session", told, "--root", root_of(home))
    done = command(tmp_path, "ceremony", "sign", tmp_path / "swapped", *options)
    assert done.returncode == 77
    assert f"and not {told}: nothing was signed" in done.stderr
    assert not list((tmp_path / "swapped" / "signed").iterdir())


def test_an_act_that_is_none_is_answered_with_those_that_are(home: Home, tmp_path: Path) -> None:
    done = command(tmp_path, "--home", home.folder, "ceremony", "begin", tmp_path / "none", "rotate")
    assert done.returncode == 64
    assert done.stderr.startswith("landlink-hq ceremony: rotate: it is rotate record|")
    assert not (tmp_path / "none").exists()
    assert re.search(r"LA-0001 .*trusted", command(tmp_path, "--home", home.folder, "boxes").stdout)


def test_signatures_of_another_session_are_named(home: Home, stick: Path, sign: Callable[..., Session]) -> None:
    revoking(home, stick)
    sign("offline-1")
    other = stick.with_name("other")
    begin(home, other, "rotate", "record", None, at_ms=NOW_MS + 1)
    (one,) = (stick / "signed").iterdir()
    shutil.copyfile(one, other / "signed" / one.name)
    with pytest.raises(Untrusted, match="is of the session"):
        read_session(other, root=root_of(home))


def test_an_older_session_is_refused_once_something_else_was_signed(
    home: Home, stick: Path, sign: Callable[..., Session]
) -> None:
    revoking(home, stick)
    sign("offline-1", "offline-2")
    late = stick.with_name("late")
    begin(home, late, "renew", "", None, at_ms=NOW_MS + 1)
    sign("root-1", "root-2", "offline-1", "offline-2", folder=late)
    finish(home, stick, at_ms=NOW_MS + 2)
    with pytest.raises(Refused, match="begin it anew"):
        finish(home, late, at_ms=NOW_MS + 3)
    assert len(Published(home.folder).roots()) == 1
    assert revoked(home)


def redigested(stick: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Alter a draft as somebody does who knows how a session is made."""
    from hashlib import sha256

    path = stick / "next" / f"{name}.json"
    metadata = json.loads(path.read_bytes())
    change(metadata["signed"])
    path.write_bytes(json.dumps(metadata).encode())
    header = json.loads((stick / SESSION).read_bytes())
    header["files"][f"next/{name}.json"] = sha256(path.read_bytes()).hexdigest()
    (stick / SESSION).write_bytes(json.dumps(header).encode())


def lower(signed: dict[str, Any]) -> None:
    signed["roles"]["root"]["threshold"] = 1


def one_key_twice(signed: dict[str, Any]) -> None:
    first, second = signed["roles"]["root"]["keyids"][:2]
    signed["keys"][second]["keyval"] = signed["keys"][first]["keyval"]


def add_key(signed: dict[str, Any]) -> None:
    signed["roles"]["root"]["keyids"].append(signed["roles"]["targets"]["keyids"][0])


def no_key(signed: dict[str, Any]) -> None:
    signed["keys"] = {}


def skip(signed: dict[str, Any]) -> None:
    signed["version"] += 1


def more(signed: dict[str, Any]) -> None:
    signed["hidden"] = "something"


def no_delegations(signed: dict[str, Any]) -> None:
    signed.pop("delegations")


def wider(signed: dict[str, Any]) -> None:
    signed["delegations"]["roles"][2]["paths"] = ["*"]


def another_target(signed: dict[str, Any]) -> None:
    signed["targets"]["roster/other.json"] = {"length": 1, "hashes": {"sha256": "0" * 64}}


def another_content(signed: dict[str, Any]) -> None:
    signed["targets"]["roster/roster.json"]["hashes"]["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("role", "change"),
    [
        ("root", lower),
        ("root", one_key_twice),
        ("root", add_key),
        ("root", no_key),
        ("root", skip),
        ("root", more),
        ("targets", no_delegations),
        ("targets", wider),
        ("targets", more),
        ("roster", another_target),
        ("roster", another_content),
        ("roster", skip),
    ],
)
def test_a_draft_that_changes_what_no_words_tell_is_signed_by_nobody(
    home: Home, stick: Path, role: str, change: Callable[[dict[str, Any]], None]
) -> None:
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    redigested(stick, role, change)
    with pytest.raises(Untrusted, match=r"do not sign it|names contents that are not here"):
        read_session(stick, root=root_of(home))


def test_every_file_that_was_altered_cut_short_or_taken_away_is_named(
    home: Home, stick: Path, sign: Callable[..., Session]
) -> None:
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    sign("offline-1")
    for path in sorted(path for path in stick.rglob("*") if path.is_file()):
        good = path.read_bytes()
        name = path.relative_to(stick).as_posix()
        for bad in (good[:-2], b"", good[: len(good) // 2] + b"\x00" + good[len(good) // 2 + 1 :], b"[" * 100_000):
            path.write_bytes(bad)
            with pytest.raises((Malformed, Untrusted), match=re.escape(name[:14])):
                read_session(stick, root=root_of(home))
        path.unlink()
        if path.parent.name != "signed":
            with pytest.raises(NoInput, match=re.escape(path.name)):
                read_session(stick, root=root_of(home))
        os.mkfifo(path)
        with pytest.raises(NoInput, match=re.escape(path.name)):
            read_session(stick, root=root_of(home))
        path.unlink()
        path.symlink_to(home.keys / "lists.pem")
        with pytest.raises(NoInput, match=re.escape(path.name)):
            read_session(stick, root=root_of(home))
        path.unlink()
        path.write_bytes(good)
    assert read_session(stick, root=root_of(home)).signers == ("offline-1",)


def test_what_does_not_belong_into_a_session_is_refused(home: Home, stick: Path) -> None:
    revoking(home, stick)
    header = json.loads((stick / SESSION).read_bytes())
    for name in ("../hq.json", "base/0.root.json", "next/lists.json", "signed/x.json", "/etc/passwd"):
        (stick / SESSION).write_bytes(json.dumps({**header, "files": {**header["files"], name: "0" * 64}}).encode())
        with pytest.raises(Malformed, match="names a file that no session has"):
            read_session(stick, root=root_of(home))
    (stick / SESSION).write_bytes(b" " * 200_000)
    with pytest.raises(Malformed, match="longer than"):
        read_session(stick, root=root_of(home))


def test_a_folder_in_use_and_an_act_without_its_name_begin_nothing(home: Home, stick: Path) -> None:
    revoking(home, stick)
    with pytest.raises(Refused, match="is not empty"):
        revoking(home, stick)
    for act, name in (("rotate", "root-1"), ("replace-key", "offline-1"), ("renew", "root"), ("revoke", "")):
        with pytest.raises(LandlinkError, match="it is rotate record"):
            begin(home, stick.with_name("no"), act, name, None, at_ms=NOW_MS + 1)
    assert not stick.with_name("no").exists()


# --- power cuts -------------------------------------------------------------------------------------------------------


def test_a_power_cut_at_any_file_of_finish_leaves_old_or_new_whole_and_finish_goes_on(
    home: Home, stick: Path, tmp_path: Path, sign: Callable[..., Session]
) -> None:
    revoking(home, stick)
    sign("offline-1", "offline-3")
    for renames in count():
        here = Home(Path(shutil.copytree(home.folder, tmp_path / f"hq-{renames}")), home.settings)
        finished = came_through(partial(finish, here, stick, at_ms=NOW_MS + 2), renames)
        assert len(signings(here)) in (5, 6)
        if finished:
            assert renames > 5
            return
        published = Published(here.folder)
        assert published.versions()["roster"] in (2, 3)
        finish(here, stick, at_ms=NOW_MS + 3)
        assert published.versions()["roster"] == 3
        assert revoked(here)
        assert published_recipients(here).version == 1
