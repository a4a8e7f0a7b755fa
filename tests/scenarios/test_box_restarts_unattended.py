"""A power cut, and nobody there: whatever holds its keys, the box starts again, signs, and has what it was told."""

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from appliance.at_rest import MAGIC
from appliance.formats.downlink import ListKey
from appliance.formats.identity import EpochCertificate, verify_epoch_certificate
from appliance.formats.statement import EpochStart, parse_statement
from appliance.formats.wire import Hello, Welcome
from appliance.line import RecorderRefused
from appliance.record.keys import secrets_of
from appliance.record.places import Places
from tests.scenarios.key_beds import LIST_KEY, PROVIDERS, KeyBed, bed_of, make_bed
from tests.scenarios.recorder_bed import append, record

pytestmark = pytest.mark.interop


@pytest.fixture(params=PROVIDERS, scope="module")
def bed(request: pytest.FixtureRequest) -> KeyBed:
    """As a power cut left it."""
    return bed_of(request.param)


def secrets(bed: KeyBed) -> list[Path]:
    places = Places(bed.state, bed.folder / "run")
    return [path for path in (*secrets_of(places), places.log_key) if path.exists()]


def epochs(bed: KeyBed) -> list[EpochCertificate]:
    kinds = [parse_statement(leaf).unverified.kind for leaf in bed.leaves()]
    identity = bed.request.identity_der
    return [verify_epoch_certificate(kind.certificate, identity) for kind in kinds if isinstance(kind, EpochStart)]


def test_after_power_cuts_it_signs_again_under_a_new_epoch_that_the_same_identity_certified(bed: KeyBed) -> None:
    for _ in range(2):
        bed.start()
        bed.record()
        assert bed.list_keys() == (LIST_KEY,)
        bed.settle()
        bed.power_cut()
    numbers = [epoch.epoch for epoch in epochs(bed)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 3


def test_everything_secret_lies_sealed_but_on_a_box_without_a_sealing_key(bed: KeyBed) -> None:
    """Case keys too, which the recorder makes as it goes, and the list key, which came over the line."""
    found = secrets(bed)
    assert {path.name for path in found} >= {"age.identity", "held-keys", "not-same.key", "log.key"}
    assert len([path for path in found if path.parent.name == "case-keys"]) == 8
    sealed = {path.name for path in found if path.read_bytes().startswith(MAGIC)}
    assert sealed == (set() if bed.provider == "open files" else {path.name for path in found})
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}


def test_status_says_how_the_keys_lie(bed: KeyBed) -> None:
    words = {
        "open files": "lie OPEN",
        "files under the host's key": "sealed under a credential of systemd",
        "files under the TPM": "sealed under a credential of systemd",
        "SoftHSM": "identity in the token 'landlink'",
        "TPM token": "identity in the token 'landlink'",
    }
    bed.start()
    bed.power_cut()
    (line,) = [line for line in bed.command("status").stdout.splitlines() if line.startswith("keys")]
    assert words[bed.provider] in line


def test_what_holds_the_keys_away_at_a_start_the_box_waits_and_records_when_it_is_back(bed: KeyBed) -> None:
    """The recorder answers all the while, and says why nothing is recorded; a token may come back while it runs."""
    bed.take_keys_away()
    bed.spawn()
    line = bed.line(timeout_s=30.0)
    answer = line.ask(Hello())
    assert isinstance(answer, Welcome)
    assert not answer.ready
    assert answer.why.startswith("This box cannot sign: ")
    with pytest.raises(RecorderRefused) as refusal:
        line.ask(append(record()))
    assert refusal.value.code == "not_ready"
    bed.bring_keys_back()
    if not bed.keys_in_token:
        bed.power_cut()
        bed.start()
    ready = False
    while not ready:
        answer = line.ask(Hello())
        assert isinstance(answer, Welcome)
        ready = answer.ready
    bed.record()
    bed.settle()
    bed.power_cut()


def test_no_secret_and_no_pin_stands_in_what_the_box_says(bed: KeyBed) -> None:
    said = bed.output.read_bytes() + (bed.folder / "box.toml").read_bytes()
    said += b"".join(path.read_bytes() for path in (bed.folder / "run").glob("*.status"))
    for secret in (b"24681357", LIST_KEY, LIST_KEY.hex().encode(), b"PRIVATE KEY", b"SECRET"):
        assert secret not in said


# --- a box that lay open ----------------------------------------------------------------------------------------------


def test_an_open_box_is_sealed_by_its_first_start_with_a_credential_and_keeps_recording() -> None:
    folder = Path(mkdtemp(prefix="k-"))
    bed = make_bed("open files", folder)
    try:
        before = bed.leaves()
        memory = folder / "memory"
        (memory / "landlink.recorder").write_bytes(bytes(range(100, 132)))
        bed.environment["CREDENTIALS_DIRECTORY"] = str(memory)
        bed.start()
        bed.record()
        assert bed.list_keys() == (LIST_KEY,)
        bed.hear(ListKey(key=bytes(32)), 3)
        bed.settle()
        bed.power_cut()
        assert all(path.read_bytes().startswith(MAGIC) for path in secrets(bed))
        assert bed.leaves()[: len(before)] == before
        bed.start()
        assert bed.list_keys() == (bytes(32), LIST_KEY)
        del bed.environment["CREDENTIALS_DIRECTORY"]
        bed.power_cut()
        bed.spawn()
        answer = bed.line(timeout_s=30.0).ask(Hello())
        assert isinstance(answer, Welcome)
        assert not answer.ready
        assert "sealing key was not given" in answer.why
    finally:
        bed.end()
        rmtree(folder)
