"""Go's standard library verifies headquarters' post-quantum cosignature (type 06), and refuses what was changed."""

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from tests.formats_samples import EPOCH_KEY, LOG_SIGNER, ORIGIN

pytestmark = pytest.mark.interop

Run = Callable[..., subprocess.CompletedProcess[str]]
NAME = "landlink.example/headquarters"
AT_S = 1_793_100_000
COSIGNER = MlDsa44Cosigner(NAME, MLDSA44PrivateKey.from_seed_bytes(b"\x55" * 32), at_s=AT_S)
OTHER = MlDsa44Cosigner(NAME, MLDSA44PrivateKey.from_seed_bytes(b"\x56" * 32), at_s=AT_S)


@pytest.fixture
def note() -> str:
    """A checkpoint signed by its log and cosigned twice, as headquarters does."""
    checkpoint = Checkpoint(origin=ORIGIN, size=600, root=b"\xa5" * 32)
    cosigners = (Ed25519Cosigner(NAME, EPOCH_KEY, at_s=AT_S), COSIGNER)
    return add_signatures(sign_checkpoint(checkpoint, [LOG_SIGNER]), cosigners).decode()


def verified(verify_cosignature: Run, folder: Path, note: str, vkey: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    done = verify_cosignature(folder / "checkpoint", vkey)
    return done.returncode, done.stdout.strip() or done.stderr.strip()


def test_go_verifies_the_cosignature_and_reads_its_time(verify_cosignature: Run, tmp_path: Path, note: str) -> None:
    assert verified(verify_cosignature, tmp_path, note, COSIGNER.verifier.vkey()) == (0, str(AT_S))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n600\n", "\n601\n"),
        (ORIGIN, ORIGIN.replace("la-0001", "la-0002")),
        (base64.b64encode(b"\xa5" * 32).decode(), base64.b64encode(b"\xa4" * 32).decode()),
    ],
)
def test_go_refuses_another_size_origin_or_root(
    verify_cosignature: Run, tmp_path: Path, note: str, old: str, new: str
) -> None:
    assert note.count(old) >= 1
    code, said = verified(verify_cosignature, tmp_path, note.replace(old, new), COSIGNER.verifier.vkey())
    assert (code, "invalid signature" in said) == (1, True), said


@pytest.mark.parametrize("place", [5, 11, 12, 1_000, -1], ids=["time", "last of time", "first", "middle", "last"])
def test_go_refuses_a_flipped_bit(verify_cosignature: Run, tmp_path: Path, note: str, place: int) -> None:
    line = note.splitlines()[-1]
    signature = bytearray(base64.b64decode(line.rpartition(" ")[2]))
    signature[place] ^= 1
    changed = f"{line.rpartition(' ')[0]} {base64.b64encode(signature).decode()}"
    assert verified(verify_cosignature, tmp_path, note.replace(line, changed), COSIGNER.verifier.vkey())[0] == 1


def test_go_finds_no_cosignature_by_another_key(verify_cosignature: Run, tmp_path: Path, note: str) -> None:
    code, said = verified(verify_cosignature, tmp_path, note, OTHER.verifier.vkey())
    assert (code, "no cosignature by" in said) == (1, True), said
