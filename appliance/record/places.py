"""Where the recorder's things lie; the folder table of README.md as code."""

from dataclasses import dataclass
from pathlib import Path

from appliance.at_rest import OPEN, AtRest
from appliance.files import remove_partial, sync_folder
from appliance.model import Priority


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below the box's folders of state and runtime, and how the secrets among them lie there."""

    state: Path
    runtime: Path
    at_rest: AtRest = OPEN

    @property
    def log(self) -> Path:
        """The published tree of the current origin."""
        return self.state / "log"

    @property
    def checkpoint(self) -> Path:
        """What readers trust first; written last."""
        return self.log / "checkpoint"

    @property
    def log_vkey(self) -> Path:
        """The log's verifier key; its name is the current origin."""
        return self.state / "log.vkey"

    @property
    def log_certificate(self) -> Path:
        """The identity key's certificate of the log key under the current origin's name."""
        return self.state / "identity" / "log.cert"

    @property
    def identity_public(self) -> Path:
        """The public half of the identity that the box was enrolled with, DER."""
        return self.state / "identity" / "identity.pub"

    @property
    def bodies(self) -> Path:
        """Sealed bodies that are still on the box."""
        return self.state / "bodies"

    @property
    def receipts(self) -> Path:
        """Headquarters' verified receipts of those bodies."""
        return self.state / "receipts"

    @property
    def cosigned(self) -> Path:
        """The last checkpoint that headquarters cosigned."""
        return self.state / "cosigned"

    @property
    def former(self) -> Path:
        """What is left of earlier origins, a folder each."""
        return self.state / "former"

    @property
    def releases(self) -> Path:
        """The shelf."""
        return self.state / "releases"

    @property
    def private(self) -> Path:
        """The recorder's own folder, 0700: journals, keys, open cases, the reserve."""
        return self.state / "recorder"

    @property
    def identity_key(self) -> Path:
        """The box's identity key, where it lies in a file."""
        return self.private / "identity.key"

    @property
    def log_key(self) -> Path:
        """The key that signs checkpoints."""
        return self.private / "log.key"

    @property
    def age_identity(self) -> Path:
        """Opens what headquarters seals to this box alone."""
        return self.private / "age.identity"

    @property
    def token_sealed(self) -> Path:
        """The key that this box's secrets are sealed under, sealed to the token; where there is a token."""
        return self.private / "sealing.token"

    @property
    def held_keys(self) -> Path:
        """Keys that headquarters has sent to this box."""
        return self.private / "held-keys"

    @property
    def counters(self) -> Path:
        """Which messages of headquarters were taken."""
        return self.private / "counters"

    @property
    def not_same(self) -> Path:
        """Which travellers were told apart from which entries: keyed hashes."""
        return self.private / "not-same"

    @property
    def not_same_key(self) -> Path:
        """The key of those hashes."""
        return self.private / "not-same.key"

    @property
    def reserve(self) -> Path:
        """Room on the disk that is kept by a file and given up in steps."""
        return self.private / "reserve"

    @property
    def told(self) -> Path:
        """Which software, configuration and rules the log was told of last."""
        return self.private / "told"

    @property
    def succession(self) -> Path:
        """Present while one origin follows another."""
        return self.private / "succession"

    @property
    def cases(self) -> Path:
        """Open cases, sealed, one file each."""
        return self.private / "cases"

    @property
    def case_keys(self) -> Path:
        """Keys of open cases and spare ones, one file each."""
        return self.private / "case-keys"

    @property
    def status(self) -> Path:
        """What the recorder says of itself."""
        return self.runtime / "recorder.status"

    def body(self, index: int, priority: Priority) -> Path:
        """The sealed body of one entry; its priority travels in the name."""
        return self.bodies / f"{index}.{priority.value}.age"

    def receipt(self, index: int) -> Path:
        """Headquarters' receipt for one body."""
        return self.receipts / str(index)

    def prepare(self) -> None:
        """Make the folders that are missing, durably; remove what a power cut left half written."""
        for folder in (self.log, self.bodies, self.receipts):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.private, self.cases, self.case_keys):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for parent in (self.private, self.state):  # what is synced inside of a folder is lost with its name
            sync_folder(parent)
        for folder in (self.state, self.bodies, self.receipts, self.private, self.cases, self.case_keys):
            remove_partial(folder)
