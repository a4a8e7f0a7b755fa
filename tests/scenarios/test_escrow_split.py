"""The escrow key in three shares: any two open what was sealed to it, one tells nothing, bad ones are named."""

import hashlib
import shutil
import stat
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from appliance.errors import ConfigError, LandlinkError, Malformed, Misuse, NoInput, Refused, StorageFault, Untrusted
from appliance.formats.age import decrypt, encrypt, parse_recipient
from provisioning.__main__ import headquarters as command
from provisioning.authority.escrow_share import parse_share, split_secret, xor
from provisioning.authority.escrow_split import join_escrow, key_fingerprint, split_escrow
from provisioning.authority.home import Home
from provisioning.authority.identities import identity_file, load_identity, load_succession, succeed
from provisioning.authority.recipients import published_recipients
from tests.scenarios.made_headquarters import headquarters

BODY = b"a record of synthetic people"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return headquarters(tmp_path_factory.mktemp("made") / "hq").folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    shutil.copytree(made, tmp_path / "hq")
    return Home.open(tmp_path / "hq")


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    media = [tmp_path / f"person-{number}" for number in (1, 2, 3)]
    for medium in media:
        medium.mkdir()
    return [medium / "escrow.share" for medium in media]


def whole(home: Home) -> list[Path]:
    return sorted(home.folder.rglob("escrow.identity*"))


def drawn(pads: list[bytes]) -> Callable[[int], bytes]:
    """A source of these random bytes, in this order."""
    source = iter(pads)
    return lambda _size: next(source)


def resum(text: str) -> str:
    """What somebody writes who alters a share and knows how its checksum is made."""
    return f"{text}sum: {hashlib.sha256(text.encode()).hexdigest()}\n"


def altered(path: Path, *, honest: bool) -> None:
    """One digit of each half becomes another."""
    lines = path.read_text().splitlines(keepends=True)
    lines = [
        line[:-2] + ("1" if line[-2] != "1" else "2") + "\n" if line.startswith("with ") else line for line in lines
    ]
    path.write_text("".join(lines) if honest else resum("".join(lines[:-1])))


def test_any_two_shares_open_what_was_sealed_to_escrow_when_the_whole_key_is_gone(
    home: Home, places: list[Path], tmp_path: Path
) -> None:
    secret = identity_file(home.folder, "escrow").read_bytes().strip()
    blob = encrypt(BODY, [parse_recipient(published_recipients(home).escrow)])
    printed = split_escrow(home, places)
    assert whole(home) == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in places} == {0o600}
    for count, pair in enumerate(permutations(places, 2)):
        out = tmp_path / f"again-{count}"
        assert join_escrow(pair[0], pair[1], out) == printed
        assert decrypt(blob, load_identity(out), plaintext_bytes_max=4_096) == BODY
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="those who keep its parts"):
        split_escrow(home, [path.with_suffix(".new") for path in places])


def test_former_keys_are_shared_and_removed_with_it(home: Home, places: list[Path], tmp_path: Path) -> None:
    path = identity_file(home.folder, "escrow")
    blobs = [encrypt(BODY, [load_identity(path).recipient])]
    blobs += [encrypt(BODY, [succeed(path).recipient]) for _ in range(2)]
    kept = {each.name: each.read_bytes() for each in whole(home)}
    split_escrow(home, places)
    assert whole(home) == []
    out = tmp_path / "again" / "escrow.identity"
    out.parent.mkdir()
    join_escrow(places[2], places[0], out)
    assert {each.name: each.read_bytes() for each in out.parent.iterdir()} == kept
    assert [decrypt(blob, load_succession(out), plaintext_bytes_max=4_096) for blob in blobs] == [BODY] * 3


def test_a_share_is_as_likely_whatever_the_key_is() -> None:
    """The argument itself, with bytes.

    For every share and any other secret there are pads by which that secret gives exactly that share: one set of pads
    for one. So whoever has one share can exclude no secret, and none is likelier than before.
    """
    secret, other = bytes(range(32)), bytes(range(100, 132))
    pads = [hashlib.sha256(bytes([number])).digest() for number in range(3)]  # of pairs 1-2, 1-3, 2-3
    shares = split_secret(secret, drawn(pads))
    difference = xor(secret, other)
    unseen: dict[int, list[int]] = {
        1: [],
        2: [0],
        3: [1, 2],
    }  # pads of which the holder sees only what is left with the secret in it
    for number, changed in unseen.items():
        moved = [xor(pad, difference) if at in changed else pad for at, pad in enumerate(pads)]
        again = split_secret(other, drawn(moved))
        assert again[number] == shares[number]
        assert all(again[holder] != shares[holder] for holder in shares if holder != number)


def test_a_share_holds_only_new_random_bytes(home: Home, places: list[Path], tmp_path: Path) -> None:
    """Two splits of one key have no half in common, and none of it is the key's."""
    kept = identity_file(home.folder, "escrow").read_bytes()
    split_escrow(home, places)
    identity_file(home.folder, "escrow").write_bytes(kept)
    second = [path.with_suffix(".second") for path in places]
    split_escrow(home, second)
    halves = [half for path in (*places, *second) for half in parse_share(path.read_bytes(), "").halves.values()]
    assert len(set(halves)) == 12
    with pytest.raises(Refused, match="of different splits"):
        join_escrow(places[0], second[1], tmp_path / "again")


def test_one_share_twice_is_no_pair(home: Home, places: list[Path], tmp_path: Path) -> None:
    split_escrow(home, places)
    copy = tmp_path / "copy"
    copy.write_bytes(places[1].read_bytes())
    with pytest.raises(Refused, match="are both share 2"):
        join_escrow(places[1], copy, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_an_altered_share_is_named(home: Home, places: list[Path], tmp_path: Path, bad: int) -> None:
    split_escrow(home, places)
    altered(places[bad], honest=True)
    for one, other in permutations(range(3), 2):
        out = tmp_path / f"again-{one}-{other}"
        if bad in {one, other}:
            with pytest.raises(Malformed, match=f"person-{bad + 1}.*altered or damaged"):
                join_escrow(places[one], places[other], out)
            assert not out.exists()
        else:
            join_escrow(places[one], places[other], out)


def test_a_share_altered_with_its_checksum_makes_no_key(home: Home, places: list[Path], tmp_path: Path) -> None:
    split_escrow(home, places)
    altered(places[0], honest=False)
    for good in places[1:]:
        with pytest.raises(Untrusted, match=r"do not make the key that they name.*third share"):
            join_escrow(places[0], good, tmp_path / "again")
    join_escrow(places[1], places[2], tmp_path / "again")
    text = places[1].read_text().rpartition("sum: ")[0]
    found = text.partition("fingerprint: ")[2][:4]
    places[1].write_text(resum(text.replace(found, "0000" if found != "0000" else "1111", 1)))
    with pytest.raises(Refused, match="of different splits"):
        join_escrow(places[1], places[2], tmp_path / "more")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sum: ",
        b"\xff" * 100,
        b"AGE-SECRET-KEY-PQ-1",
        b"x" * 70_000,
        resum("split: 00\n").encode(),
        resum("").encode(),
    ],
)
def test_what_is_no_share_is_named_and_never_shown(
    home: Home, places: list[Path], tmp_path: Path, content: bytes
) -> None:
    split_escrow(home, places)
    places[0].write_bytes(content)
    with pytest.raises(LandlinkError, match="person-1") as raised:
        join_escrow(places[0], places[1], tmp_path / "again")
    assert raised.value.exit_code in {65, 66}
    assert "AGE-SECRET" not in str(raised.value)


def test_nothing_is_written_over(home: Home, places: list[Path], tmp_path: Path) -> None:
    key = identity_file(home.folder, "escrow").read_bytes()
    places[1].write_text("somebody's")
    with pytest.raises(Refused, match="is there already"):
        split_escrow(home, places)
    for path in places:
        path.write_text("somebody's")
    with pytest.raises(Malformed, match="person-1"):
        split_escrow(home, places)
    assert identity_file(home.folder, "escrow").read_bytes() == key
    for path in places:
        path.unlink()
    split_escrow(home, places)
    out = tmp_path / "again"
    out.write_text("somebody's")
    with pytest.raises(Refused, match="not written over"):
        join_escrow(places[0], places[1], out)
    assert out.read_text() == "somebody's"


def test_places_that_would_leave_it_with_one_person_are_refused(home: Home, places: list[Path]) -> None:
    with pytest.raises(Misuse, match="3 different files"):
        split_escrow(home, [places[0], places[0], places[2]])
    with pytest.raises(Refused, match="would stay on this machine"):
        split_escrow(home, [*places[:2], home.folder / "escrow.share"])
    with pytest.raises(NoInput, match="mount the medium"):
        split_escrow(home, [*places[:2], places[2].parent / "gone" / "escrow.share"])
    assert len(whole(home)) == 1


def test_a_split_that_fails_at_the_third_medium_leaves_no_two_shares(home: Home, places: list[Path]) -> None:
    unwritable = places[2].with_name("x" * 255)  # its temporary name is longer than a file system takes
    with pytest.raises(StorageFault):
        split_escrow(home, [*places[:2], unwritable])
    assert [path for place in places for path in place.parent.iterdir()] == []
    split_escrow(home, places)
    assert whole(home) == []


def test_shares_that_a_power_cut_left_are_named_for_what_they_are(home: Home, places: list[Path]) -> None:
    key = identity_file(home.folder, "escrow")
    kept = key.read_bytes()
    split_escrow(home, places)
    key.write_bytes(kept)
    places[2].unlink()
    with pytest.raises(Refused, match=r"two of its shares make the key: destroy them"):
        split_escrow(home, places)


def test_an_interrupted_split_is_gone_on_with(home: Home, places: list[Path], tmp_path: Path) -> None:
    """As if the power had gone when the shares were durable, and the oldest key of three was removed."""
    path = identity_file(home.folder, "escrow")
    succeed(path)
    succeed(path)
    kept = {each: each.read_bytes() for each in whole(home)}
    printed = split_escrow(home, places)
    for each, content in kept.items():
        if not each.name.endswith(".1"):
            each.write_bytes(content)
    assert split_escrow(home, places[::-1]) == printed
    assert whole(home) == []
    assert len(join_escrow(places[1], places[2], tmp_path / "again")) == 3
    path.write_bytes(kept[path])  # another key than the shares hold is never removed for them
    succeed(path)
    with pytest.raises(Refused, match="no split of this key"):
        split_escrow(home, places)
    assert path.exists()


def test_by_its_verbs(home: Home, places: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint = key_fingerprint(load_identity(identity_file(home.folder, "escrow")))

    def run(*arguments: str | Path) -> int:
        return command(["--home", str(home.folder), *map(str, arguments)])

    assert run("split-escrow", *places) == 0
    assert run("join-escrow", *places[1:], "--out", tmp_path / "again") == 0
    printed = capsys.readouterr()
    assert printed.out.count(fingerprint) == 2
    assert "same disk" in printed.err
    assert "AGE-SECRET" not in printed.out
    assert all(fingerprint in path.read_text() and "join-escrow" in path.read_text() for path in places)
