"""A taken-over uplink (I10) can delay. It cannot read, forge an answer, feed a list, delete, or lead root astray."""

import contextlib
import hashlib
import os
import shutil
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.enrol.accept import accept_answer
from appliance.errors import ConfigError, LandlinkError, Malformed, StorageFault, Untrusted
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.downlink import CaseAnswer, ListKey, VoiceKey, role_of
from appliance.formats.note import Ed25519Cosigner, LogSigner, MlDsa44Cosigner, add_signatures, sign_note
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.voice import Verdict
from appliance.formats.wire import Acknowledge, Cosigned, Done, Hello, Request, Welcome, encode
from appliance.line import RecorderRefused
from appliance.model import Sha256
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from tests.attacks.every_verb import UPLINK_VERBS, of_others
from tests.attacks.taken_over import BOOTH, RELEASES, UPLINK, Scene, contents, everything, scene, succeeded, user
from tests.scenarios.made_headquarters import NOW_MS, config
from tests.scenarios.recorder_bed import Bed, append, bed, deliver, enrolled, record, recorded

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become the box's users"),
]
ORIGIN: Final = "landlink.example/la-0001.1"


@pytest.fixture(scope="module")
def post() -> Generator[Scene]:
    """A box at work; one for all attacks at its door."""
    with scene() as made:
        yield made


@pytest.fixture
def uplink(post: Scene) -> Generator[Scene]:
    """The attacker is the uplink's user; afterwards the very same recorder records as before."""
    with user(UPLINK):
        yield post
    post.leave()
    with user(BOOTH):
        recorded(post.door("booth"), append(record()), post.box.verifier)
    post.leave()
    post.still_serves()


def refused(post: Scene, request: Request) -> str:
    with pytest.raises(RecorderRefused) as refusal:
        post.door("uplink").ask(request)
    return refusal.value.code


def keys_of_headquarters(box: Bed) -> dict[str, Ed25519PrivateKey]:
    """Each of headquarters' Ed25519 keys: an attacker who has one has not the others."""
    found: dict[str, Ed25519PrivateKey] = {}
    with user(0):
        for path in sorted(box.home.keys.glob("*.pem")):
            try:
                found[path.stem] = load_ed25519(path)
            except ConfigError:
                continue
    return found


# --- what headquarters did not say ------------------------------------------------------------------------------------


def test_an_uplink_speaks_no_verb_of_another_role(uplink: Scene) -> None:
    for verb in of_others(UPLINK_VERBS):
        assert refused(uplink, verb) == "malformed"
    assert ("uplink", "verb") in uplink.refusals()


def test_no_key_of_headquarters_but_that_of_receipts_licenses_a_deletion(uplink: Scene) -> None:
    box = uplink.box
    with user(BOOTH):
        line = box.line()
        index = recorded(line, append(record()), box.verifier).index
    uplink.settle()
    body = box.body(index)

    def receipt(key: Ed25519PrivateKey, origin: str = ORIGIN) -> bytes:
        said = DeliveryReceipt(
            origin=origin,
            index=index,
            sha256=Sha256(hashlib.sha256(body).digest()),
            size=len(body),
            received_ms=NOW_MS,
            ledger_position=1,
            previous=None,
            opened_through=index,
        )
        return sign_receipt(said, public=key.public_key().public_bytes_raw(), sign=key.sign)

    keys = keys_of_headquarters(box)
    true = keys.pop("receipts")
    for name, key in keys.items():
        assert refused(uplink, Acknowledge(receipts=(receipt(key),))) == "untrusted", name
    assert refused(uplink, Acknowledge(receipts=(receipt(true, "landlink.example/la-0002.1"),))) == "wrong_origin"
    assert box.body(index) == body
    assert not (box.state / "receipts" / str(index)).exists()
    again = Acknowledge(receipts=(receipt(true),))
    assert [uplink.door("uplink").ask(again) for _ in range(3)] == [Done()] * 3
    uplink.settle()
    with user(0):
        entries = box.checkpoint().size
    assert uplink.door("uplink").ask(again) == Done()
    uplink.settle()
    with user(0):
        assert box.checkpoint().size == entries, "a receipt that is said again makes an entry"


@pytest.mark.parametrize(
    "said",
    [
        ListKey(key=bytes(32)),
        VoiceKey(key=bytes(32)),
        CaseAnswer(of="0" * 32, verdict=Verdict.CONFIRMED, words="", by=""),
    ],
    ids=["list key", "voice key", "answer"],
)
def test_no_key_of_headquarters_but_its_own_roles_says_anything_to_the_box(
    uplink: Scene, said: ListKey | VoiceKey | CaseAnswer
) -> None:
    with user(0):
        box = uplink.box
        brought = [deliver(box, said, 900, key=name) for name in keys_of_headquarters(box) if name != role_of(said)]
        held_keys = box.state / "recorder" / "held-keys"
        held = held_keys.read_bytes() if held_keys.exists() else b""
    assert brought
    for one in brought:
        assert refused(uplink, one) in {"untrusted", "busy"}
    with user(0):
        assert (held_keys.read_bytes() if held_keys.exists() else b"") == held


def cosigned(box: Bed, checkpoint: Checkpoint, log: Ed25519PrivateKey, signer: Ed25519PrivateKey) -> bytes:
    note = sign_note(checkpoint.text(), [LogSigner(checkpoint.origin, log)])
    name = cosigner_name("landlink.example")
    at_s = NOW_MS // 1_000
    signers = [
        Ed25519Cosigner(name, signer, at_s=at_s),
        MlDsa44Cosigner(name, load_mldsa44(box.home.key("cosign-mldsa44")), at_s=at_s),
    ]
    return add_signatures(note, signers)


def test_no_checkpoint_of_another_tree_key_or_cosigner_is_kept_and_no_older_one_replaces_a_newer(
    uplink: Scene,
) -> None:
    box = uplink.box
    uplink.settle()
    keys = keys_of_headquarters(box)
    with user(0):
        own = load_ed25519(box.state / "recorder" / "log.key")
        older = box.checkpoint()
        signer = keys.pop("cosign-ed25519")
        old = cosigned(box, older, own, signer)
        other = Checkpoint(origin=older.origin, size=older.size, root=bytes(32))
        forged = [cosigned(box, other, key, signer) for key in keys.values()]
        forged += [cosigned(box, older, own, key) for key in keys.values()]
        forged += [cosigned(box, Checkpoint(origin=ORIGIN[:-1] + "2", size=1, root=bytes(32)), own, signer)]
    for note in (*forged, b"", b"\n", old[:-2], bytes(16_384)):
        assert refused(uplink, Cosigned(note=note)) in {"untrusted", "malformed"}
    with user(BOOTH):
        recorded(uplink.box.line(), append(record()), box.verifier)
    uplink.settle()
    with user(0):
        new = cosigned(box, box.checkpoint(), own, signer)
    assert [uplink.door("uplink").ask(Cosigned(note=note)) for note in (new, old)] == [Done(), Done()]
    with user(0):
        assert (box.state / "cosigned").read_bytes() == new


def test_an_uplink_that_floods_and_takes_no_answer_keeps_no_light_waiting(uplink: Scene) -> None:
    before, doors = uplink.memory_kib(), list[socket.socket]()
    work = encode(Acknowledge(receipts=(bytes(2_048),) * 24))
    for _ in range(100):
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        doors.append(door)
        door.settimeout(0)
        try:
            door.connect(str(uplink.box.folder / "run" / "uplink.sock"))
            for _ in range(100):
                door.send(work)
        except OSError:
            continue
    with user(BOOTH):
        assert isinstance(uplink.box.line(timeout_s=30).ask(Hello()), Welcome)
        recorded(uplink.box.line(timeout_s=30), append(record()), uplink.box.verifier)
    assert uplink.memory_kib() - before < 32 * 1024
    for door in doors:
        door.close()
    uplink.recovers("uplink")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uid", "own"), [(UPLINK, {"mirror", "down", "uplink"}), (RELEASES, {"releases"})])
def test_nobody_changes_a_file_outside_of_his_own_folders(uplink: Scene, uid: int, own: set[str]) -> None:
    state = uplink.box.state
    with user(0):
        tried = uplink.box.folder / f"tried-{uid}"
        tried.mkdir()
        (tried / "planted").write_bytes(b"planted")
        for path in (tried, tried / "planted"):
            os.chown(path, uid, uid)
        paths = [path for path in everything(state) if path.relative_to(state).parts[0] not in own]
        paths += everything(uplink.box.folder / "run")
    with user(uid):
        assert {str(path): done for path in paths if (done := succeeded(tried, path))} == {}


Plant = Callable[[Path], None]


def to_the_recorders_key(path: Path) -> None:
    path.symlink_to(path.parents[len(path.parts) - path.parts.index("state") - 2] / "recorder" / "identity.key")


def to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


PLANTS: Final[tuple[Plant, ...]] = (os.mkfifo, to_the_recorders_key, to_zeros, sparse, Path.mkdir, Path.touch)


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize(
    "name", ["timestamp.json", "snapshot.json", "targets.json", "root.json", "lists.json", "index"]
)
def test_nothing_that_lies_in_the_mirror_stops_releases_or_changes_what_is_in_service(
    box: Bed, plant: Plant, name: str
) -> None:
    shelf, mirror = Shelf(box.state / "releases"), box.state / "mirror"
    before = contents(shelf.folder)
    planted = [path for path in everything(mirror) if path.name.endswith(name)]
    for path in planted:
        path.unlink()
        plant(path)
    with contextlib.suppress(Untrusted, Malformed, StorageFault):
        take_release(shelf, mirror, lower_bound_ms=NOW_MS, keys=())
    after = contents(shelf.folder)
    assert {path: after.get(path) for path in before} == before
    assert not [path for path in everything(shelf.folder) if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


# --- root, who accepts an answer --------------------------------------------------------------------------------------


@pytest.fixture
def answered(box: Bed) -> tuple[Bed, Path]:
    """A box whose uplink was taken over before its answer came, and a folder of root's that it would like to reach."""
    for name in ("mirror", "down", "uplink"):
        folder = box.state / name
        for path in (folder, *folder.rglob("*")):
            os.chown(path, UPLINK, UPLINK)
    for folder in (box.folder, box.state):
        folder.chmod(0o755)
    (box.state / "mirror" / "metadata" / "timestamp.json").unlink()
    victim = box.folder / "victim"
    (victim / "lists").mkdir(parents=True)
    (victim / "tls.crt").write_bytes(b"root's own")
    return box, victim


def accept(box: Bed) -> None:
    try:
        accept_answer(config(box.folder), enrolled()[0].parent / "answer")
    except LandlinkError:
        return  # delayed, which an uplink can


@pytest.mark.parametrize("name", ["mirror/targets", "mirror/targets/lists", "mirror/metadata"])
def test_accepting_an_answer_writes_nothing_where_a_folder_of_the_uplink_was_led(
    answered: tuple[Bed, Path], name: str
) -> None:
    box, victim = answered
    before = contents(victim)
    with user(UPLINK):
        shutil.rmtree(box.state / name)
        (box.state / name).symlink_to(victim)
    accept(box)
    assert contents(victim) == before


def test_accepting_an_answer_gives_the_uplink_no_file_of_roots_by_a_second_name(answered: tuple[Bed, Path]) -> None:
    box, victim = answered
    (box.state / "mirror" / "targets" / "second").hardlink_to(victim / "tls.crt")
    (box.state / "down" / "link").symlink_to(victim / "tls.crt")
    accept(box)
    assert (victim / "tls.crt").stat().st_uid == 0
    assert not [path for path in everything(box.state / "recorder") if path.lstat().st_uid != 0]


@pytest.mark.parametrize("plant", [os.mkfifo, to_zeros, to_the_recorders_key], ids=lambda plant: plant.__name__)
def test_accepting_an_answer_follows_no_link_and_waits_for_no_pipe_at_a_temporary_name(
    answered: tuple[Bed, Path], plant: Plant
) -> None:
    box, _ = answered
    before = (box.state / "recorder" / "identity.key").read_bytes()
    with user(UPLINK):
        for name in ("uplink/.tls.crt", "uplink/.1.root.json", "mirror/metadata/.timestamp.json"):
            plant(box.state / f"{name}.{os.getpid()}.tmp")
    accept(box)
    assert (box.state / "recorder" / "identity.key").read_bytes() == before
    assert (box.state / "mirror" / "metadata" / "timestamp.json").read_bytes()


def test_the_tls_key_of_a_box_that_asks_again_is_not_read_through_a_link(answered: tuple[Bed, Path]) -> None:
    box, _ = answered
    with user(UPLINK):
        (box.state / "uplink" / "tls.key").unlink()
        (box.state / "uplink" / "tls.key").symlink_to(box.state / "recorder" / "identity.key")
    with pytest.raises((LandlinkError, PermissionError)):
        accept_answer(config(box.folder), enrolled()[0].parent / "answer")
