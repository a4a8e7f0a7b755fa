"""Clone: two boxes run from copies of one card, and both record; with real recorders and the auditor's real command."""

import shutil
import subprocess
from pathlib import Path

from provisioning.audit.proof import verify_proof
from provisioning.authority.home import Home
from tests.delivery_post import BIN
from tests.scenarios.auditor import kept_of
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, bed, record, recorded


def works(box: Bed, documents: int) -> None:
    """Start the recorder, record so many documents, end it."""
    process = box.start()
    line = box.line()
    for _ in range(documents):
        recorded(line, append(record()), box.verifier)
    box.settle()
    line.close()
    assert box.stop(process) == 0


def pull(home: Home, box: Bed) -> tuple[int, str]:
    command = [BIN / "landlink-hq", "--home", home.folder, "pull", box.state]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_two_boxes_with_one_card_are_found_when_both_have_recorded(tmp_path: Path) -> None:
    with bed() as box, bed() as copy:
        home = Home.open(shutil.copytree(box.home.folder, tmp_path / "hq"))
        works(box, 2)
        shutil.rmtree(copy.state)
        shutil.copytree(box.state, copy.state, symlinks=True)  # the card, copied
        works(box, 1)
        works(copy, 3)
        code, said = pull(home, box)
        assert code == 0, said
        code, said = pull(home, copy)
        assert code == 76
        assert "clone: " in said
        assert "two boxes ran from copies of one card" in said
        entries = kept_of(home, ORIGIN)
        (proof,) = entries.proofs()
        assert verify_proof(proof, entries.log.verifier).startswith("clone proven")


def test_a_card_that_was_set_back_and_went_on_is_the_same_to_see(tmp_path: Path) -> None:
    with bed() as box:
        home = Home.open(shutil.copytree(box.home.folder, tmp_path / "hq"))
        works(box, 1)
        shutil.copytree(box.state, tmp_path / "image", symlinks=True)
        works(box, 2)
        assert pull(home, box)[0] == 0
        shutil.rmtree(box.state)
        (tmp_path / "image").rename(box.state)
        code, said = pull(home, box)
        assert code == 76
        assert "rollback: " in said
        works(box, 5)
        code, said = pull(home, box)
        assert code == 76
        assert "clone: " in said
        assert "or its card was set back to an old copy" in said
