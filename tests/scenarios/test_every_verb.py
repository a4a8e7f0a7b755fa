"""Every verb of the three commands, asked for help, asked wrongly, without its home, with a file that is not there.

Each ends with the code that errors.EXIT_CODES gives it, and its words say what to do next.
"""

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from appliance import __main__ as of_box
from appliance.command import Parser, run
from appliance.errors import EXIT_CODES, LandlinkError
from provisioning import __main__ as of_headquarters
from tests.scenarios.made_headquarters import box_toml
from tests.scenarios.made_headquarters import headquarters as made_home

ROOT = Path(__file__).parents[2]
COLUMNS_MAX = 120

PARSERS = {
    "landlink-box": of_box.build_parser,
    "landlink-bench": of_headquarters.bench_parser,
    "landlink-hq": of_headquarters.headquarters_parser,
}
ACTS = {
    "landlink-box": of_box.act,
    "landlink-bench": of_headquarters.act,
    "landlink-hq": of_headquarters.act,
}

LEAST: dict[str, Sequence[str]] = {
    "landlink-box request": ("--out", "x"),
    "landlink-box accept": ("x",),
    "landlink-box check": ("--scanner",),
    "landlink-box export": ("x",),
    "landlink-hq init": ("--domain", "landlink.example"),
    "landlink-hq issue": ("x", "--out", "y"),
    "landlink-hq replace-key": ("root-2",),
    "landlink-hq ceremony begin": ("x", "renew"),
    "landlink-hq ceremony show": ("x",),
    "landlink-hq ceremony sign": ("x", "--key", "y", "--session", "0123 4567 89ab cdef 0123"),
    "landlink-hq ceremony finish": ("x",),
    "landlink-hq make-key": ("x", "--public", "y"),
    "landlink-hq revoke": ("LA-0001",),
    "landlink-hq stick": ("x",),
    "landlink-hq distribute": ("x", "y", "z"),
    "landlink-hq import": ("un", "x"),
    "landlink-hq rotate": ("record",),
    "landlink-hq split-escrow": ("x", "y", "z"),
    "landlink-hq join-escrow": ("x", "y", "--out", "z"),
    "landlink-hq collect": ("--data", "x"),
    "landlink-hq replay": ("--all",),
    "landlink-hq when": ("la-0001.1:1",),
    "landlink-hq erase": ("aaaa", "--why", "x"),
    "landlink-hq fingerprint": ("K7Q2-M9TX-3FJH-W0C5",),
    "landlink-hq exhibit": ("aaaa", "--out", "x"),
    "landlink-hq custody handover": ("x", "--to", "y"),
    "landlink-hq answer": ("x", "--confirmed", "--words", "y", "--by", "z"),
    "landlink-hq voice": ("--box", "LA-0001", "--case", "x", "--confirmed"),
    "landlink-hq policy test": ("x",),
    "landlink-hq policy set": ("x",),
}
"""What each verb needs at least; without an entry, nothing."""


def verbs_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Each verb by its whole name, as `landlink-hq custody show`."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser.prog
    for action in below:
        for verb in action.choices.values():
            yield from verbs_of(verb)


VERBS = [name for parser in PARSERS.values() for name in verbs_of(parser())]
WITHOUT_HOME = {
    "landlink-hq init",
    "landlink-hq ceremony show",
    "landlink-hq ceremony sign",
    "landlink-hq join-escrow",
    "landlink-hq make-key",
    "landlink-bench rehearse",
}
"""What works before there is a home, or without one."""


def called(name: str, *words: str, before: Sequence[str] = ()) -> int:
    """The exit code of a verb, called as its command calls it."""
    command, *verb = name.split()
    try:
        return run(PARSERS[command](), ACTS[command], [*before, *verb, *words])
    except SystemExit as end:  # help, and what argparse notices
        return end.code if isinstance(end.code, int) else 1


def every_error(kind: type[LandlinkError] = LandlinkError) -> Iterator[type[LandlinkError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


def test_each_kind_of_error_ends_with_a_code_of_the_table() -> None:
    codes = {kind.exit_code for kind in every_error()}
    assert codes <= EXIT_CODES.keys()
    assert EXIT_CODES.keys() - codes == {0, 1, 130, 141}, "these are no errors of ours"


@pytest.mark.parametrize("command", PARSERS)
def test_a_commands_help_has_the_whole_table(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(command, "--help") == 0
    shown = capsys.readouterr().out
    assert [code for code, words in EXIT_CODES.items() if f"{code:>3}  {words}\n" not in shown] == []


@pytest.mark.parametrize("name", VERBS)
def test_help_says_what_it_does_with_an_example_and_its_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(name, "--help") == 0
    shown = capsys.readouterr().out
    example = "systemctl status" if "systemctl status" in shown else name
    assert f"Example: {example}" in shown
    assert "Exit codes: 0 done, 64 misuse; all of them: " in shown
    written = shown.partition("\n\n")[2].partition("\n\noptions:")[0].partition("\n\npositional arguments:")[0]
    assert [line for line in written.splitlines() if len(line) > COLUMNS_MAX] == []
    assert len(written) > 2 * len(f"Example: {example}"), "more than an example"


@pytest.mark.parametrize("name", VERBS)
def test_an_option_that_there_is_not_is_misuse(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(name, *LEAST.get(name, ()), "--bogus") == 64
    said = capsys.readouterr().err
    assert "--bogus" in said
    assert f"Next: {' '.join(name.split()[:2])} --help" in said


@pytest.mark.parametrize("name", sorted(LEAST))
def test_what_a_verb_needs_is_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = called(name, before=("--home", "nowhere") if name.startswith("landlink-hq") else ())
    said = capsys.readouterr().err
    assert code == 64, said
    assert "--help" in said or "`landlink-hq" in said or "--" in said


@pytest.mark.parametrize("name", [name for name in VERBS if name not in WITHOUT_HOME])
def test_without_home_or_configuration_it_says_how_to_get_one(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules.json").write_text("{}")
    command = name.partition(" ")[0]
    where = ("--config" if command == "landlink-box" else "--home", str(tmp_path / "nowhere"))
    assert called(name, *LEAST.get(name, ()), before=where) in ({66, 78} if "policy" in name else {78})
    said = capsys.readouterr().err
    assert said.startswith(f"{' '.join(name.split()[:2])}: ")
    assert "--config FILE" in said or "landlink-hq --home FOLDER init" in said or "name one that is there" in said
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_home(tmp_path_factory.mktemp("hq") / "hq").folder


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("landlink-hq issue", ("gone", "--out", "answer")),
        ("landlink-hq import", ("un", "gone")),
        ("landlink-hq import", ("--documents", "gone")),
        ("landlink-hq rotate", ("record", "--recipient", "gone")),
        ("landlink-hq distribute", ("gone", "gone2", "gone3")),
        ("landlink-hq split-escrow", ("gone/1", "gone/2", "gone/3")),
        ("landlink-hq join-escrow", ("gone", "gone2", "--out", "key")),
        ("landlink-hq replay", ("--all", "--opened", "gone")),
        ("landlink-hq policy test", ("gone",)),
        ("landlink-hq policy set", ("gone",)),
        ("landlink-hq verify", ("--policy", "gone")),
        ("landlink-hq exhibit", ("--check", "gone")),
        ("landlink-hq custody verify", ("--against", "gone")),
        ("landlink-hq custody handover", ("gone", "--to", "somebody")),
        ("landlink-bench rehearse", ("--specimens", "gone")),
        ("landlink-box seal", ("--pin", "gone")),
        ("landlink-box export", ("gone",)),
    ],
)
def test_a_file_that_is_not_there_is_named_with_what_to_do(
    name: str, words: tuple[str, ...], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = tuple(str(tmp_path / word) if word.startswith("gone") else word for word in words)
    (tmp_path / "box.toml").write_bytes(box_toml(tmp_path))
    before = {
        "landlink-hq": ("--home", str(home)),
        "landlink-box": ("--config", str(tmp_path / "box.toml")),
        "landlink-bench": (),
    }[name.partition(" ")[0]]
    assert called(name, *paths, before=before) == 66
    said = capsys.readouterr().err
    assert str(tmp_path / "gone") in said
    assert "name " in said or "mount" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("landlink-hq log", ("--event", "bogus")),
        ("landlink-hq log", ("--from", "yesterday")),
        ("landlink-hq find", ("--from", "2026-11-03", "--to", "2026-11-01")),
        ("landlink-hq find", ("--name", "")),
        ("landlink-hq find", ("--name", " - ")),
        ("landlink-hq find", ("--number", "")),
        ("landlink-hq find", ("--number", " - ")),
        ("landlink-hq when", ("xyz",)),
        ("landlink-hq erase", ("aaaa",)),
        ("landlink-hq erase", ("--why", "x")),
        ("landlink-hq erase", ("--older-than", "-5", "--why", "x")),
        ("landlink-hq exhibit", ("aaaa",)),
        ("landlink-hq exhibit", ("xy", "--out", "x")),
        ("landlink-hq exhibit", ("--none", "--out", "x")),
        (
            "landlink-hq exhibit",
            ("--none", "--out", "x", "--box", "LA-0001", "--from", "2026-11-03", "--to", "2026-11-04", "--number", ""),
        ),
        ("landlink-hq replay", ()),
        ("landlink-hq ceremony show", ("x", "--root", "nonsense")),
        ("landlink-hq rotate", ("auditor", "--out", "x")),
        ("landlink-hq rotate", ("custody", "--recipient", "x")),
        ("landlink-hq import", ()),
        ("landlink-hq collect", ("--data", "x", "--listen", "everywhere")),
        ("landlink-hq init", ("--domain", "landlink.example", "--collector", "nowhere")),
        ("landlink-hq fingerprint", ("K7Q2-M9TX-3FJH-W0C5", "--entries", "-1")),
        ("landlink-bench rehearse", ("--travellers", "0")),
        ("landlink-bench rehearse", ("--page-port", "8080", "--tray-port", "8080")),
        ("landlink-box check", ("--scanner", "--listen", "forever")),
        ("landlink-box export", ("x", "--since", "-1")),
        ("landlink-box status", ("--jso",)),
    ],
)
def test_what_makes_no_sense_is_misuse_and_nothing_is_done(
    name: str, words: tuple[str, ...], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "box.toml").write_bytes(box_toml(tmp_path))
    before = {
        "landlink-hq": ("--home", str(home)),
        "landlink-box": ("--config", str(tmp_path / "box.toml")),
        "landlink-bench": (),
    }[name.partition(" ")[0]]
    files = sorted(path for path in home.rglob("*") if path.is_file())
    assert called(name, *words, before=before) == 64
    assert len(capsys.readouterr().err.split()) > 5
    assert sorted(path for path in home.rglob("*") if path.is_file()) == files


def test_a_witness_that_knows_no_log_is_told_how_to_name_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("landlink-hq witness", before=("--home", str(home))) == 78
    said = capsys.readouterr().err
    assert "witness/logs names no log" in said
    assert "write a line `log VKEY`" in said


def test_log_events_explains_what_event_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("landlink-hq log", "--events") == 0
    shown = capsys.readouterr().out
    assert "lid_changed\n  The box's case was opened or closed" in shown
    assert "\n  state: open, closed\n" in shown
    assert "\nsealed\n" in shown


def ends_with(error: BaseException) -> int:
    def fail(_arguments: argparse.Namespace) -> int:
        raise error

    parser = Parser(prog="landlink-x")
    parser.add_subparsers(dest="verb").add_parser("y")
    return run(parser, fail, ["y"])


def test_a_mistake_of_ours_does_not_end_as_something_found_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(KeyError("bug")) == 70
    assert "KeyError" in capsys.readouterr().err


def test_ctrl_c_ends_as_a_shell_expects() -> None:
    assert ends_with(KeyboardInterrupt()) == 130


def test_an_errors_words_give_a_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(LandlinkError("of a box: \x1b[2J\nsecond line")) == 70
    assert capsys.readouterr().err == "landlink-x y: of a box: \N{REPLACEMENT CHARACTER}[2J\nsecond line\n"


def test_as_a_process_an_answer_that_nobody_reads_or_can_hold_has_its_code() -> None:
    shown = [ROOT / ".venv/bin/landlink-hq", "log", "--events"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(shown, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    words = "landlink-hq log: No space left on device: not all of the answer was written\n"
    assert (done.returncode, done.stderr) == (73, words)
    with subprocess.Popen(shown, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.close()
        assert left.wait() == 141
