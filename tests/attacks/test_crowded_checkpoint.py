"""A checkpoint crowded with signature lines of nobody: its log is pulled and cosigned, now and the next time."""

import base64
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.formats.note import NOTE_BYTES_MAX, SIGNATURES_MAX
from appliance.formats.upload import LogUpload
from appliance.model import Origin
from appliance.uplink.collector import Collector, Cosigned, LogRefused
from appliance.uplink.link import Link, tls_context
from tests.attacks.audited_post import Post
from tests.collector_bed import HOST
from tests.scenarios.auditor import kept_of


def of_nobody(bytes_each: int) -> bytes:
    return f"— nobody.example {base64.b64encode(os.urandom(bytes_each)).decode()}\n".encode()


def many(note: bytes) -> bytes:
    return note + b"".join(of_nobody(68) for _ in range(SIGNATURES_MAX - note.count("— ".encode())))


def long(note: bytes) -> bytes:
    """As long as a note may be."""
    return note + of_nobody((NOTE_BYTES_MAX - len(note) - 64) // 4 * 3)


def repeated(note: bytes) -> bytes:
    own = note.partition(b"\n\n")[2]
    return note + own * (SIGNATURES_MAX - 1)


@pytest.mark.parametrize("crowded", [many, long, repeated])
def test_a_crowded_checkpoint_is_kept_without_its_crowd_and_bears_headquarters_word(
    post: Post, tmp_path: Path, crowded: Callable[[bytes], bytes]
) -> None:
    for _ in range(3):
        post.box.seal(b"sealed")
    post.box.log.publish()
    stick = tmp_path / "stick"
    shutil.copytree(post.box.state, stick)
    checkpoint = stick / "log" / "checkpoint"
    true = checkpoint.read_bytes()
    checkpoint.write_bytes(crowded(true))
    for _ in range(2):
        code, said = post.audit("pull", stick)
        assert code in (0, 1), said
    kept = kept_of(post.headquarters.home, post.box.origin)
    assert (kept.note() or b"").startswith(true)
    assert len((kept.note() or b"").splitlines()) == len(true.splitlines()) + 2


@pytest.mark.parametrize("crowded", [many, long, repeated])
def test_a_crowded_checkpoint_of_an_uplink_does_not_spoil_what_the_collector_signs(
    post: Post, crowded: Callable[[bytes], bytes]
) -> None:
    post.box.seal(b"sealed")
    link = Link(HOST, post.headquarters.port, tls_context(post.box.state / "uplink"), rate_bytes_per_s=1e6)
    true = post.box.log.note()
    upload = LogUpload(from_index=0, leaves=tuple(post.box.log.leaves), checkpoint=crowded(true))
    with contextlib.closing(link):
        answer = Collector(link, Origin(post.box.origin)).send_log(upload)
    assert isinstance(answer, (Cosigned, LogRefused))
    if isinstance(answer, Cosigned):
        assert (answer.note[: len(true)], answer.note.count("— ".encode())) == (true, 3)
        assert post.audit("pull")[0] in (0, 1)
    post.sent = post.box.log.edge.size if isinstance(answer, Cosigned) else 0
    post.box.seal(b"the next one")
    post.deliver()
    code, said = post.audit("pull")
    assert code in (0, 1), said
