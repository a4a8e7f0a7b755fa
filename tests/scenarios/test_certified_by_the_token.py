"""All that the identity key certifies goes through its store: epochs while it is away, and a log after a loss."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest

from appliance.formats.identity import Role, verify_certificate, verify_epoch_certificate
from appliance.formats.statement import EpochStart, parse_statement
from appliance.formats.wire import Hello, Welcome
from appliance.line import RecorderLine, RecorderRefused
from tests.scenarios.key_beds import make_bed
from tests.scenarios.recorder_bed import REPOSITORY, Bed, append, bed, record, recorded, welcome


def until(line: RecorderLine, agreed: Callable[[Welcome], bool]) -> Welcome:
    """Ask until it is so; the recorder looks once a second."""
    while True:
        answer = line.ask(Hello())
        assert isinstance(answer, Welcome)
        if agreed(answer):
            return answer


def start_with_a_token(box: Bed) -> None:
    with box.output.open("ab") as output:
        command = [sys.executable, "-m", "tests.scenarios.lost_token", str(box.folder)]
        box.running.append(subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output))


@pytest.mark.skipif(os.geteuid() != 0, reason="its doors are root's")
def test_an_epoch_that_ends_while_the_token_is_away_ends_the_recording_until_it_is_back() -> None:
    """No statement is signed by an epoch's key after its day, and none is lost: the process stays and waits."""
    with bed() as box:
        start_with_a_token(box)
        line = box.line(timeout_s=30.0)
        until(line, lambda answer: answer.ready)
        recorded(line, append(record()), box.verifier)
        (box.folder / "pulled").touch()
        recorded(line, append(record()), box.verifier)  # the epoch that runs needs no token
        (box.folder / "next-day").touch()
        away = until(line, lambda answer: not answer.ready)
        assert away.why == "This box cannot sign: the token is not there"
        with pytest.raises(RecorderRefused) as refusal:
            line.ask(append(record()))
        assert refusal.value.code == "not_ready"
        (box.folder / "pulled").unlink()
        until(line, lambda answer: answer.ready)
        recorded(line, append(record()), box.verifier)
        assert len(box.running) == 1
        assert box.running[0].poll() is None
        box.settle()
        starts = [kind.certificate for kind in (each.kind for each in box.statements()) if isinstance(kind, EpochStart)]
        assert len(starts) == 2


@pytest.mark.interop
@pytest.mark.parametrize("provider", ["SoftHSM", "TPM token"])
def test_after_a_loss_the_token_certifies_the_next_log(provider: str) -> None:
    folder = Path(mkdtemp(prefix="k-"))
    box = make_bed(provider, folder)
    try:
        identity = box.request.identity_der
        shutil.rmtree(box.state / "log" / "tile")
        for journal in box.journals:
            journal.unlink()
        box.start()
        line = box.line()
        answer = welcome(line)
        line.close()
        assert answer.origin == "landlink.example/la-0001.2"
        box.record(origin=answer.origin)
        box.settle()
        certificate = (box.state / "identity" / "log.cert").read_bytes()
        certified = verify_certificate(certificate, role=Role.LOG, identity_der=identity)
        assert (certified.name, certified.public) == (answer.origin, box.verifier.public)
        first = parse_statement(box.leaves()[0]).unverified.kind
        assert isinstance(first, EpochStart)
        assert verify_epoch_certificate(first.certificate, identity).previous is not None
    finally:
        box.end()
        shutil.rmtree(folder)
