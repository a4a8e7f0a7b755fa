"""Pulling from a box: whole, then what is new; cut, killed, begun again; many boxes at once; what is given back."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.errors import UplinkFault
from appliance.formats.statement import Sealed
from appliance.formats.wire import Cosigned
from appliance.line import RecorderRefused
from appliance.recorded import Picture
from provisioning.audit.at_once import AT_ONCE_MAX, each_at_once
from provisioning.audit.https_source import HttpsSource, box_tls
from provisioning.audit.incoming import Incoming
from provisioning.lock import alone
from tests.scenarios.audit_bed import RATE, Audited, audited, free_port
from tests.scenarios.made_headquarters import Box, day_at_the_post
from tests.scenarios.recorder_bed import ORIGIN, append_long, record


@pytest.fixture
def post() -> Generator[Audited]:
    with audited() as made:
        yield made


class Cutting:
    """A link to the box that breaks each connection after so many bytes of answers."""

    def __init__(self, port: int, bytes_each: int) -> None:
        self._far = port
        self._bytes_each = bytes_each
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.carried = 0
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._far))
            threading.Thread(target=self._carry, args=(near, far, 1 << 40), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, self._bytes_each), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, left: int) -> None:
        try:
            while left > 0 and (piece := source.recv(min(4_096, left))):
                target.sendall(piece)
                left -= len(piece)
                self.carried += len(piece)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # the other direction waits in a recv
            end.close()


def kept(post: Audited) -> Path:
    return post.home.pulled_log(ORIGIN)


def long_body(post: Audited, size: int = 300_000) -> int:
    """Record a picture of about so many bytes; the index of its entry."""
    line = post.box.line()
    append_long(line, record(Picture(of="aa" * 16, media_type="image/jpeg", content=os.urandom(size))))
    line.close()
    post.box.settle()
    sizes = {i: each.kind.blob_bytes for i, each in enumerate(post.box.statements()) if isinstance(each.kind, Sealed)}
    return max(sizes, key=lambda index: sizes[index])


# --- a box ------------------------------------------------------------------------------------------------------------


def test_a_box_is_pulled_whole_then_what_is_new_and_keeps_what_headquarters_cosigned(post: Audited) -> None:
    post.record(2)
    post.serve()
    size = post.box.checkpoint().size
    first = post.hq("pull", post.address)
    assert first.returncode == 0, first.stderr
    assert f"{size} entries, {size} of them new" in first.stdout
    assert "box LA-0001 keeps the cosigned checkpoint" in first.stdout
    assert (post.box.state / "cosigned").read_bytes() == (kept(post) / "checkpoint").read_bytes()
    post.record(1)
    second = post.hq("pull", post.address)
    assert second.returncode == 0
    assert f", {post.box.checkpoint().size - size} of them new" in second.stdout
    assert post.hq("verify").returncode == 0


def test_the_next_statement_names_what_headquarters_cosigned(post: Audited) -> None:
    post.serve()
    post.hq("pull", post.address)
    post.record(1)
    assert post.box.statements()[-1].cosigned is not None
    assert post.hq("pull", post.address).returncode == 0
    assert "NOT all as it should be" not in post.hq("verify").stdout


def test_an_older_cosigned_checkpoint_takes_nothing_back(post: Audited) -> None:
    post.serve()
    post.hq("pull", post.address)
    older = (kept(post) / "checkpoint").read_bytes()
    post.record(1)
    post.hq("pull", post.address)
    newest = (post.box.state / "cosigned").read_bytes()
    line = post.box.line("audit")
    line.ask(Cosigned(note=older))
    assert (post.box.state / "cosigned").read_bytes() == newest != older


def test_a_cosigned_checkpoint_of_another_log_is_refused(post: Audited, tmp_path: Path) -> None:
    """Cosigned by the same headquarters, of a box that is not this one (I3)."""
    other = Box(post.home, tmp_path / "other", serial="LA-0002")
    day_at_the_post(other)
    assert "cosigned by headquarters now" in post.hq("pull", other.state, "--box", "LA-0002").stdout
    note = (post.home.pulled_log(other.origin) / "checkpoint").read_bytes()
    line = post.box.line("audit")
    with pytest.raises(RecorderRefused) as refused:
        line.ask(Cosigned(note=note))
    assert refused.value.code == "untrusted"
    assert not (post.box.state / "cosigned").exists()


def test_another_box_at_the_address_is_not_asked_for_anything(post: Audited, tmp_path: Path) -> None:
    post.serve()
    Box(post.home, tmp_path / "other", serial="LA-0002")
    done = post.hq("pull", post.address, "--box", "LA-0002")
    assert done.returncode == 77
    assert "is box LA-0001" in done.stderr
    incoming = Incoming(tmp_path / "incoming", post.address)
    source = HttpsSource(post.address, "landlink.example/la-0002.1", box_tls(post.home), incoming, box="LA-0002")
    with pytest.raises(UplinkFault, match="what answers is not box LA-0002"):
        source.read("checkpoint", bytes_max=1_000)


def test_without_the_cosigning_keys_a_pull_holds_and_says_so(post: Audited) -> None:
    post.serve()
    for key in ("cosign-ed25519", "cosign-mldsa44"):
        post.home.key(key).unlink()
    done = post.hq("pull", post.address)
    assert done.returncode == 0
    assert "not cosigned: headquarters' cosigning keys are not in this home" in done.stdout
    assert not (post.box.state / "cosigned").exists()


# --- cut and killed ---------------------------------------------------------------------------------------------------


def test_a_link_that_breaks_again_and_again_brings_a_long_body_all_the_same(post: Audited) -> None:
    index = long_body(post)
    post.serve()
    link = Cutting(post.port, 100_000)
    done = post.hq("pull", f"https://127.0.0.1:{link.port}")
    link.close()
    assert done.returncode == 0, done.stderr
    assert (kept(post) / "bodies" / f"{index}.age").read_bytes() == post.box.body(index)
    assert link.connections > 4  # it broke within the body, and not once
    assert link.carried < 600_000  # nor was it fetched anew each time


def test_a_pull_that_is_killed_within_a_body_goes_on_there(post: Audited) -> None:
    index = long_body(post)
    text = (post.box.folder / "box.toml").read_text()
    slow = Audited(post.box, post.home, post.stick, free_port())
    config = post.box.folder / "slow.toml"
    config.write_text(text.replace(str(RATE), "80000").replace(f"port = {post.port}", f"port = {slow.port}"))
    serving = slow.serve(config)
    link = Cutting(slow.port, 1 << 40)
    address = f"https://127.0.0.1:{link.port}"
    command = [Path(sys.executable).parent / "landlink-hq", "--home", post.home.folder, "pull", address]
    part = post.home.incoming(ORIGIN) / f"{index}.part"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pulling:
        while not (part.exists() and part.stat().st_size >= 131_072):
            assert pulling.poll() is None, "it ended before it could be killed"
            threading.Event().wait(0.02)
        pulling.send_signal(signal.SIGKILL)
    arrived, link.carried = part.stat().st_size, 0
    assert not (kept(post) / "bodies" / f"{index}.age").exists()
    done = post.hq("pull", address)
    link.close()
    serving.kill()
    assert done.returncode == 0, done.stderr
    body = post.box.body(index)
    assert (kept(post) / "bodies" / f"{index}.age").read_bytes() == body
    assert link.carried < len(body) - arrived + 100_000
    assert not post.home.incoming(ORIGIN).exists()


@pytest.mark.parametrize("what", ["bundle", "body"])
def test_what_arrived_and_was_spoilt_is_refused_and_then_forgotten(post: Audited, what: str) -> None:
    """Nothing that lies there is believed; the pull after it begins anew, and holds."""
    index = long_body(post)
    post.serve()
    incoming = Incoming(post.home.incoming(ORIGIN), post.address)
    if what == "bundle":
        size = post.box.checkpoint().size
        incoming.keep_bundle(f"tile/entries/000.p/{size}", b"spoilt")
    else:
        incoming.grow(index, b"spoilt" * 100)
    first = post.hq("pull", post.address)
    assert first.returncode in (1, 65, 76)
    again = post.hq("pull", post.address)
    assert again.returncode == 0, again.stderr
    assert post.hq("verify").returncode == 0


def test_what_arrived_from_another_source_is_not_mixed_in(post: Audited) -> None:
    index = long_body(post)
    post.serve()
    Incoming(post.home.incoming(ORIGIN), "https://elsewhere:443").grow(index, b"of another box")
    assert post.hq("pull", post.address).returncode == 0


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def boxes(post: Audited, tmp_path: Path) -> list[Box]:
    """Three more boxes of this headquarters, on one stick."""
    made = [Box(post.home, tmp_path / serial, serial=serial) for serial in ("LA-0011", "LA-0012", "LA-0013")]
    for box in made:
        day_at_the_post(box)
        on_stick(box, post.stick)
    return made


def on_stick(box: Box, stick: Path) -> None:
    shutil.copytree(box.state / "log", stick / "log" / box.origin, dirs_exist_ok=True)
    for body in (box.state / "bodies").iterdir():
        folder = stick / "bodies" / box.origin / "000xxx"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(body, folder / f"{body.name.split('.')[0]}.age")


def test_several_boxes_on_one_stick_are_pulled_and_one_that_forked_stops_no_other(
    post: Audited, boxes: list[Box]
) -> None:
    assert post.hq("pull", post.stick).returncode == 0
    for box in boxes:
        box.canary()
    forked = boxes[1]
    forked.leaves = forked.leaves[:-2]  # the copy that headquarters has does not begin like this one
    for _ in range(4):
        forked.event()
    for box in boxes:
        box.publish()
        on_stick(box, post.stick)
    done = post.hq("pull", post.stick)
    assert done.returncode == 76
    assert forked.origin in done.stderr
    for box in (boxes[0], boxes[2]):
        assert f"{box.origin}: 10 entries, 1 of them new, all signed and in place" in done.stdout


def test_where_nobody_answers_every_box_is_named_and_the_command_ends(post: Audited, boxes: list[Box]) -> None:
    done = post.hq("pull")
    assert done.returncode == 75
    assert all(f"{box.origin}: refused: " in done.stderr for box in boxes)


def test_no_more_logs_than_allowed_are_pulled_at_once_and_all_are_done_in_order() -> None:
    full = threading.Barrier(AT_ONCE_MAX)
    running = threading.Semaphore(AT_ONCE_MAX)

    def work(job: int) -> int:
        assert running.acquire(blocking=False), "more at once than allowed"
        full.wait(10)  # only as many as allowed at once can ever pass
        running.release()
        return job * 10

    told: list[int] = []
    jobs = list(range(3 * AT_ONCE_MAX))
    assert each_at_once(jobs, work, told.append) == [job * 10 for job in jobs]
    assert told == list(range(1, len(jobs) + 1))


def test_a_bug_in_one_of_them_ends_the_command() -> None:
    def work(_: int) -> int:
        raise AssertionError("a bug")

    with pytest.raises(AssertionError, match="a bug"):
        each_at_once([1, 2], work, lambda _: None)


def test_two_pulls_of_one_log_do_not_run_into_each_other(post: Audited) -> None:
    post.record(1)
    post.export()
    with alone(post.home.incoming(ORIGIN).with_name("la-0001.1.lock")):
        done = post.hq("pull", post.stick)
    assert done.returncode == 77
    assert "is being pulled by another command" in done.stderr
