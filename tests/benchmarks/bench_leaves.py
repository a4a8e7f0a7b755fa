"""Leaves verified a second on one core, as headquarters does it, beside bare Ed25519 verification and Go's tlog.

Ours is what `landlink-hq pull` does with every leaf once its bytes are here: grow the tree, parse the statement, verify
it under its epoch's key, hold its times and claims against the others. Bare is the same library's verification of the
same signatures over the same bytes. Go's tlog proves each leaf's place through the tiles and looks at no signature.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.formats.edge import Edge
from appliance.formats.statement import Sealed, Statement, parse_statement
from appliance.formats.tiles import TILE_WIDTH
from provisioning.audit.acknowledged import unfounded_claim
from provisioning.audit.chronology import Chronology
from provisioning.audit.log import Log, logs_of
from provisioning.audit.testimony import Testimony
from provisioning.audit.walk import Walk
from provisioning.authority.roster import read_roster
from tests.benchmarks.bars import at_least
from tests.interop.conftest import GOCODE, HERE
from tests.scenarios.made_headquarters import Box, headquarters

LEAVES = 10_000
ROUNDS = 5
RATIO_MIN = 0.8


def main() -> None:
    """Print leaves a second of each, by turns, and the bar."""
    with tempfile.TemporaryDirectory(prefix="l-") as folder:
        home = headquarters(Path(folder) / "hq")
        box = Box(home, Path(folder) / "box")
        for index in range(LEAVES - 1):
            digest = index.to_bytes(32, "big")
            box.append(box.statement(Sealed(commitment=digest, blob_sha256=digest, blob_bytes=9_216)))
        box.publish()
        (log,) = logs_of(home, read_roster(home), None)
        key = Ed25519PublicKey.from_public_bytes(box.epoch.public)
        signed = [signature_of(leaf) for leaf in box.leaves]
        ours, bare = by_turns(lambda: verify(log, box.leaves), lambda: verify_bare(key, signed))
        print(f"ours {ours:7.0f} leaves/s   bare Ed25519 {bare:7.0f}/s   Go's tlog, places only {go(box)}", flush=True)
        at_least("leaves verified a second over bare Ed25519", RATIO_MIN, ours / bare)


def by_turns(*works: Callable[[], Iterator[None]]) -> list[float]:
    """Leaves a second of processor time for each, bundle by bundle in turn, so that a busy machine slows all alike."""
    spent = [0.0 for _ in works]
    for _ in range(ROUNDS):
        running = [work() for work in works]
        for _ in range(0, LEAVES, TILE_WIDTH):
            for place, work in enumerate(running):
                began = time.process_time()
                next(work)
                spent[place] += time.process_time() - began
    return [ROUNDS * LEAVES / each for each in spent]


def verify(log: Log, leaves: list[bytes]) -> Iterator[None]:
    """As provisioning/audit/pull.py does, a bundle of entries at a time."""
    testimony = Testimony()
    walk, chronology, edge = Walk(log), Chronology(testimony), Edge()
    for first in range(0, len(leaves), TILE_WIDTH):
        bundle = leaves[first : first + TILE_WIDTH]
        edge.extend(bundle)
        edge.take_full()
        for index, statement in enumerate(walk.take_all(bundle), first):
            assert isinstance(statement, Statement)
            assert not chronology.take(index, statement)
            assert not unfounded_claim(index, statement, testimony)
        yield


def signature_of(leaf: bytes) -> tuple[bytes, bytes]:
    """A leaf's signature and the bytes that it signs (RFC 9052 §4.4)."""
    message = parse_statement(leaf).sign1
    return message.signature, message.to_be_signed()


def verify_bare(key: Ed25519PublicKey, signed: list[tuple[bytes, bytes]]) -> Iterator[None]:
    for first in range(0, len(signed), TILE_WIDTH):
        for signature, message in signed[first : first + TILE_WIDTH]:
            key.verify(signature, message)
        yield


def go(box: Box) -> str:
    """Go's rate on the published log, in words."""
    if shutil.which("go") is None or not GOCODE.is_dir():
        return "not measured: needs Go and golang-golang-x-mod-dev"
    built = box.state / "verify_log"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOCODE), "GOCACHE": str(box.state / "go")}
    subprocess.run(["go", "build", "-o", str(built), "verify_log.go"], check=True, cwd=HERE, env=environment)
    vkey = (box.state / "log.vkey").read_text().strip()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [str(built), str(box.state / "log"), vkey, "1"]
    program = os.posix_spawn(built, command, environment, file_actions=silent)
    _, status, used = os.wait4(program, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "Go does not verify the log"
    return f"{LEAVES / (used.ru_utime + used.ru_stime):.0f}/s"
