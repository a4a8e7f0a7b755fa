"""Each key of headquarters signs for its role alone: boxes refuse it in others, and so do headquarters' own verbs."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from appliance.errors import Untrusted
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.downlink import ANSWERS, DIRECTIVES, CaseAnswer, Downlink, ListKey, Message, sign_downlink
from appliance.formats.note import Ed25519Cosigner, LogSigner, MlDsa44Cosigner, parse_vkey, sign_note
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44, RECEIPTS
from appliance.formats.tuf_chain import verify_chain
from appliance.formats.voice import Verdict
from appliance.model import Mode, Sha256
from appliance.record.headquarters import Headquarters, ProvenTime
from appliance.shelf import Shelf
from provisioning.authority.holders import HOLDINGS
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, cosigner_name, load_ed25519, load_mldsa44
from provisioning.authority.roles import SIGNERS
from tests.scenarios.made_headquarters import NOW_MS, headquarters
from tests.scenarios.recorder_bed import BOX, ORIGIN, enrolled

HQ = Path(sys.executable).parent / "landlink-hq"
ED25519 = (
    RECEIPTS,
    COSIGN_ED25519,
    ANSWERS,
    DIRECTIVES,
    CUSTODY,
    "lists",
    "policy",
    "timestamp",
    "offline-1",
    "root-1",
)
"""Every kind of Ed25519 key in `hq/keys/`."""


# --- releases ---------------------------------------------------------------------------------------------------------


class Chain:
    """A release's metadata as a box has it, of which any role may be signed anew by anybody."""

    def __init__(self, home: Home) -> None:
        metadata = home.tuf / "metadata"
        names = {"timestamp": "timestamp.json"}
        timestamp = Metadata[Timestamp].from_bytes((metadata / names["timestamp"]).read_bytes()).signed
        names["snapshot"] = f"{timestamp.snapshot_meta.version}.snapshot.json"
        snapshot = Metadata[Snapshot].from_bytes((metadata / names["snapshot"]).read_bytes()).signed
        named = {name.removesuffix(".json"): f"{meta.version}.{name}" for name, meta in snapshot.meta.items()}
        self.root = (metadata / "1.root.json").read_bytes()
        self.files = {role: (metadata / name).read_bytes() for role, name in (names | named).items()}
        self._home = home

    def sign(self, role: str, names: Sequence[str]) -> None:
        """Sign the role's file with these keys, and honestly name it in what precedes it."""
        metadata = Metadata[Snapshot].from_bytes(self.files[role])
        metadata.signatures.clear()
        for name in names[:2]:
            metadata.sign(CryptoSigner(load_ed25519(self._home.key(name))), append=True)
        self.files[role] = metadata.to_bytes()
        if role == "timestamp":
            return
        if role == "snapshot":
            timestamp = Metadata[Timestamp].from_bytes(self.files["timestamp"])
            meta = timestamp.signed.snapshot_meta
            timestamp.signed.snapshot_meta = MetaFile.from_data(meta.version, self.files[role], ["sha256"])
            self.files["timestamp"] = timestamp.to_bytes()
            self.sign("timestamp", SIGNERS["timestamp"])
            return
        snapshot = Metadata[Snapshot].from_bytes(self.files["snapshot"])
        meta = snapshot.signed.meta[f"{role}.json"]
        snapshot.signed.meta[f"{role}.json"] = MetaFile.from_data(meta.version, self.files[role], ["sha256"])
        self.files["snapshot"] = snapshot.to_bytes()
        self.sign("snapshot", SIGNERS["snapshot"])

    def verify(self) -> None:
        verify_chain({f"metadata/{role}.json": data for role, data in self.files.items()}, self.root)


def test_of_a_release_no_role_may_be_signed_by_the_keys_of_another() -> None:
    _, home = enrolled()
    roles = [role for role in SIGNERS if role != "root"]
    for role in roles:
        chain = Chain(home)
        chain.sign(role, SIGNERS[role])
        chain.verify()  # what follows is refused for its key and nothing else
    for role, other in permutations(SIGNERS, 2):
        if role == "root" or SIGNERS[role] == SIGNERS[other]:
            continue
        chain = Chain(home)
        chain.sign(role, SIGNERS[other])
        with pytest.raises(Untrusted, match=f"^{role} is not signed by enough keys of its role"):
            chain.verify()


def test_one_root_signed_by_offline_keys_is_none() -> None:
    _, home = enrolled()
    root = Metadata[Snapshot].from_bytes((home.tuf / "metadata" / "1.root.json").read_bytes())
    root.signatures.clear()
    for name in SIGNERS["targets"][:2]:
        root.sign(CryptoSigner(load_ed25519(home.key(name))), append=True)
    with pytest.raises(Untrusted, match="root is not signed by enough keys"):
        verify_chain({}, root.to_bytes())


# --- what headquarters says to one box --------------------------------------------------------------------------------


def recorder_of() -> tuple[Headquarters, Home, Path]:
    state, home = enrolled()
    known = Headquarters(Shelf(state / "releases"), ProvenTime())
    assert known.look(recipients_at_least=0)
    return known, home, state


def said(message: Message) -> Callable[[Ed25519PrivateKey], bytes]:
    downlink = Downlink(box=BOX, counter=1, at_ms=NOW_MS, message=message)
    return lambda key: sign_downlink(downlink, public=key.public_key().public_bytes_raw(), sign=key.sign)


def receipt(key: Ed25519PrivateKey) -> bytes:
    made = DeliveryReceipt(
        origin=ORIGIN,
        index=1,
        sha256=Sha256(bytes(32)),
        size=1,
        received_ms=NOW_MS,
        ledger_position=1,
        previous=None,
        opened_through=0,
    )
    return sign_receipt(made, public=key.public_key().public_bytes_raw(), sign=key.sign)


def test_the_recorder_takes_each_message_from_the_key_of_its_role_alone(tmp_path: Path) -> None:
    known, home, _ = recorder_of()
    training = headquarters(tmp_path / "training", mode=Mode.TRAINING)
    answer = CaseAnswer(of="0" * 32, verdict=Verdict.CONFIRMED, words="", by="Duty")
    signed: dict[str, tuple[Callable[[Ed25519PrivateKey], bytes], Callable[[bytes], object]]] = {
        RECEIPTS: (receipt, known.verify_receipt),
        ANSWERS: (said(answer), lambda data: known.verify_downlink(data, box=BOX)),
        DIRECTIVES: (said(ListKey(key=bytes(32))), lambda data: known.verify_downlink(data, box=BOX)),
    }
    for role, (sign, verify) in signed.items():
        verify(sign(load_ed25519(home.key(role))))
        for other in ED25519:
            if other != role:
                with pytest.raises(Untrusted):
                    verify(sign(load_ed25519(home.key(other))))
        with pytest.raises(Untrusted):
            verify(sign(load_ed25519(training.key(role))))


def test_a_checkpoint_counts_as_cosigned_only_by_both_keys_of_cosigners(tmp_path: Path) -> None:
    known, home, state = recorder_of()
    training = headquarters(tmp_path / "training", mode=Mode.TRAINING)
    log_key = LogSigner(ORIGIN, load_ed25519(state / "recorder" / "log.key"))
    verifier = parse_vkey((state / "log.vkey").read_text().strip())
    name, checkpoint = cosigner_name("landlink.example"), Checkpoint(origin=ORIGIN, size=1, root=Sha256(bytes(32)))

    def verify(ed25519: Path, mldsa44: Path) -> None:
        signers = (
            Ed25519Cosigner(name, load_ed25519(ed25519), at_s=NOW_MS // 1_000),
            MlDsa44Cosigner(name, load_mldsa44(mldsa44), at_s=NOW_MS // 1_000),
        )
        known.verify_cosigned(sign_note(checkpoint.text(), [log_key, *signers]), verifier)

    verify(home.key(COSIGN_ED25519), home.key(COSIGN_MLDSA44))
    for other in ED25519:
        if other != COSIGN_ED25519:
            with pytest.raises(Untrusted):
                verify(home.key(other), home.key(COSIGN_MLDSA44))
    with pytest.raises(Untrusted):
        verify(training.key(COSIGN_ED25519), home.key(COSIGN_MLDSA44))
    with pytest.raises(Untrusted):
        verify(home.key(COSIGN_ED25519), training.key(COSIGN_MLDSA44))


# --- headquarters' own verbs ------------------------------------------------------------------------------------------


VERBS = {
    "lists": ("publish",),
    "policy": ("publish",),
    "snapshot": ("publish",),
    "timestamp": ("publish",),
    "list-key": ("publish",),
    "offline-1": ("revoke", "LA-0001"),
    DIRECTIVES: ("rekey",),
    RECEIPTS: ("collect", "--data", "{data}", "--listen", "127.0.0.1:0"),
    COSIGN_ED25519: ("collect", "--data", "{data}", "--listen", "127.0.0.1:0"),
    COSIGN_MLDSA44: ("collect", "--data", "{data}", "--listen", "127.0.0.1:0"),
    "record": ("open",),
}
"""By key, a verb that needs it."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(enrolled()[1].folder, tmp_path / "hq")))


def refused(home: Home, verb: Sequence[str]) -> str:
    command = [word.format(data=home.folder.parent / "data") for word in verb]
    done = subprocess.run(
        [HQ, "--home", home.folder, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 78, (done.stdout, done.stderr)
    (line,) = done.stderr.splitlines()
    return line


def file_of(home: Home, name: str) -> Path:
    paths = {"list-key": home.list_key_file, "record": home.record_identity}
    return paths.get(name, home.key(name))


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_without_its_key_names_key_holder_and_what_to_do(home: Home, name: str) -> None:
    file_of(home, name).unlink()
    if name == "offline-1":
        home.key("offline-2").unlink()
    holding = HOLDINGS["offline" if name == "offline-1" else name]
    words = refused(home, VERBS[name])
    assert (
        f"{file_of(home, name).name} is not here: it {holding.purpose}; it belongs with {holding.holder}. Run" in words
    )


@pytest.mark.parametrize("name", [name for name in VERBS if name not in ("list-key", "record")])
def test_a_verb_with_a_key_of_another_role_in_that_place_signs_nothing(home: Home, name: str) -> None:
    before = (home.tuf / "metadata" / "timestamp.json").read_bytes()
    if name == COSIGN_MLDSA44:
        other = headquarters(home.folder.parent / "training", mode=Mode.TRAINING).key(name)
    else:
        other = home.key(ANSWERS)
    shutil.copyfile(other, file_of(home, name))
    role = "roster" if name == "offline-1" else name
    assert f"{file_of(home, name).name} is not the key that boxes know as {role}" in refused(home, VERBS[name])
    assert (home.tuf / "metadata" / "timestamp.json").read_bytes() == before  # boxes see the last release


def test_the_table_of_who_holds_what_has_every_key_that_the_verbs_name() -> None:
    readme = (Path(__file__).parents[2] / "provisioning" / "authority" / "README.md").read_text()
    table = readme.partition("## Who holds what")[2].partition("\n## ")[0]
    named = set(re.findall(r"[a-z0-9-]+(?=(?:-1\.\.3)?(?:\.pem|\.identity|\.key|`))", table))
    assert set(HOLDINGS) - named - {name for name in HOLDINGS if f"{name}-1..3" in table} == set()
