"""`landlink-box check --scanner` as a technician runs it: which dialect answers, and no running booth is disturbed."""

import contextlib
import os
import pty
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from drivers.api import DeviceState
from drivers.scanner.elyctis import ElyctisCodec
from tests.scenarios.desk_world import ROOT, DeskWorld, box_scanner, desk_world
from tests.scenarios.made_headquarters import box_toml

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "box.toml"
    text = box_toml(tmp_path).decode()
    path.write_text(text.replace('dialect = "generic"', 'dialect = "elyctis"'), encoding="utf-8")
    assert 'dialect = "elyctis"' in path.read_text(encoding="utf-8")
    return path


def check(
    config: Path,
    port: Path | None,
    *,
    desk: DeskWorld | None = None,
    listen_s: int = 20,
    do: str = "lay",
    **what: object,
) -> tuple[int, str]:
    """Run it; where it asks for a document, lay one, or do something else."""
    command = [sys.executable, "-m", "appliance", "--config", str(config), "check", "--listen", str(listen_s)]
    command += ["--scanner", *([str(port)] if port else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Lay a document" in line and desk is not None:
                desk.ask(do, **(what or ({"mrz": TD3} if do == "lay" else {})))
        return process.wait(), said


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[DeskWorld]:
    with desk_world(tmp_path / "d", dialect=getattr(request, "param", "elyctis")) as world:
        yield world


def with_port(config: Path, desk: DeskWorld) -> None:
    lines = config.read_text(encoding="utf-8").splitlines()
    lines = [f'port = "{desk.scanner}"' if line.startswith('port = "/') else line for line in lines]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_scanner_that_box_toml_names_is_well(config: Path, desk: DeskWorld) -> None:
    with_port(config, desk)
    code, said = check(config, None)
    assert (code, "answers as elyctis" in said, "what box.toml says" in said) == (0, True, True), said


def test_a_post_without_a_scanner_is_asked_which_port_is_meant(config: Path) -> None:
    text = config.read_text(encoding="utf-8").replace('dialect = "elyctis"', 'dialect = "none"')
    lines = [line for line in text.splitlines() if not line.startswith('port = "/')]
    camera = '[camera]\nkind = "simulated"\nsocket = "/nowhere/camera.sock"\n'
    config.write_text("\n".join(lines) + "\n" + camera, encoding="utf-8")
    code, said = check(config, None)
    assert (code, "box.toml names no port; name one" in said) == (64, True), said


@pytest.mark.parametrize("desk", ["honeywell"], indirect=True)
def test_another_dialect_is_named_with_what_box_toml_needs(config: Path, desk: DeskWorld) -> None:
    code, said = check(config, desk.scanner)
    assert code == 1, said
    assert "answers as honeywell" in said
    assert f'port = "{desk.scanner}"\ndialect = "honeywell"\n' in said, "all of it at once"


@pytest.mark.parametrize("desk", ["honeywell-no-ocr"], indirect=True)
def test_an_imager_that_cannot_read_passports_is_said_so(config: Path, desk: DeskWorld) -> None:
    code, said = check(config, desk.scanner)
    assert (code, "cannot be used" in said) == (1, True), said


@pytest.mark.parametrize(
    ("desk", "needed"),
    [
        ("rte", 'dialect = "rte"'),
        ("generic", 'dialect = "generic"'),
        ("stx-etx-lrc", "lrc = true"),
        ("wedge", 'dialect = "wedge"'),
    ],
    indirect=["desk"],
)
def test_a_scanner_without_a_question_is_known_by_a_document(config: Path, desk: DeskWorld, needed: str) -> None:
    code, said = check(config, desk.scanner, desk=desk)
    assert code == 1, said
    assert needed in said
    assert "ERIKSSON" not in said
    assert ("not confirmed on hardware" in said) == (needed == 'dialect = "rte"')


def test_a_port_that_a_running_booth_holds_is_said_so_and_not_disturbed(config: Path, desk: DeskWorld) -> None:
    with box_scanner(ElyctisCodec(), desk.scanner) as box:
        box.state(DeviceState.READY)
        desk.event(event="armed")
        code, said = check(config, desk.scanner)
        assert (code, "another program holds the port" in said) == (69, True), said
        desk.ask("lay", mrz=TD3)
        box.frame(TD3)
    assert [event for event in box.seen if getattr(event, "state", None) is DeviceState.FAULTED] == []


def test_nothing_plugged_in_and_nothing_that_answers_are_told_apart(config: Path, desk: DeskWorld) -> None:
    code, said = check(config, desk.folder / "nothing")
    assert (code, "nothing is plugged in" in said) == (69, True), said
    code, said = check(config, Path("/dev/null"), listen_s=0)
    assert code == 69, said
    code, said = check(config, ROOT / "README.md", listen_s=0)
    assert (code, "neither a serial line" in said) == (69, True), said


@contextlib.contextmanager
def other_device(answer: Callable[[bytes], bytes]) -> Generator[Path]:
    """Something on a line that is no scanner of ours; `answer` says what it sends for what it was sent."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)

    def live() -> None:
        with contextlib.suppress(OSError):  # EIO: the test is over
            while asked := os.read(ours, 4096):
                os.write(ours, answer(asked))

    thread = threading.Thread(target=live)
    thread.start()
    yield Path(os.ttyname(theirs))
    os.close(theirs)
    thread.join()
    os.close(ours)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda asked: asked, "nothing came from it"),
        (lambda _: b"\r\nERROR\r\n", "nothing came from it"),
        (lambda _: b"", "nothing came from it"),
    ],
    ids=["a modem that echoes", "a modem that refuses", "a mouse"],
)
def test_another_device_is_no_scanner(config: Path, answer: Callable[[bytes], bytes], words: str) -> None:
    with other_device(answer) as port:
        code, said = check(config, port, listen_s=1)
    assert (code, words in said, "Plugged in are" in said or "No scanner" in said) == (69, True, True), said


@pytest.mark.parametrize("desk", ["generic"], indirect=True)
def test_what_sends_something_else_than_documents_is_told_from_silence(config: Path, desk: DeskWorld) -> None:
    position = b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8*76\r\n"
    code, said = check(config, desk.scanner, desk=desk, listen_s=3, do="raw", hex=position.hex())
    assert (code, "bytes came, and no document" in said) == (69, True), said


@pytest.mark.parametrize("desk", ["generic"], indirect=True)
def test_a_cable_pulled_meanwhile_is_said_so_with_what_to_do(config: Path, desk: DeskWorld) -> None:
    code, said = check(config, desk.scanner, desk=desk, do="unplug")
    assert (code, "plug the scanner in again" in said) == (69, True), said
