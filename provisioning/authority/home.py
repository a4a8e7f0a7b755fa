"""Headquarters' home folder: where its keys and papers lie. Everything else here reads paths from this one place.

```
hq.json        settings: domain, mode, collector's address
keys/          signing keys, 0600        ca/   the authority of TLS certificates        *.identity   what opens records
roster.json    enrolled boxes            tuf/  what boxes mirror                        lists/       staged imports
pulled/<domain>/<log>/   logs as pulled and verified                                    opened/<log>.json
incoming/<domain>/<log>/ what arrived of a pull that was interrupted
custody/       headquarters' own log of who opened what (custody/README.md)
down/<serial>/           sealed messages to one box (downlink.py)
enrolling/<serial>.cbor  a box's certificates while persons sign that it is enrolled (enrolment.py)
```
A home has one mode: a training home has its own keys and refuses what is live, and the other way round (I7).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from appliance.errors import ConfigError, Refused
from appliance.model import Mode, Noun

SETTINGS_BYTES_MAX: Final = 65_536
DOMAIN: Final = r"\A[a-z0-9][a-z0-9.-]{1,62}\Z"
HOST: Final = r"\A[a-zA-Z0-9.-]{1,253}\Z"


class Settings(Noun, frozen=True, kw_only=True):
    """`hq.json`.

    Attributes:
        domain: Headquarters' name; the first half of every origin.
        mode: Whether this home is for real travellers or for training.
        collector_host, collector_port: Where boxes deliver, and where `pull` fetches from.
    """

    domain: Annotated[str, Meta(pattern=DOMAIN)]
    mode: Mode
    collector_host: Annotated[str, Meta(pattern=HOST)]
    collector_port: Annotated[int, Meta(ge=1, le=65535)]


@dataclass(frozen=True, slots=True)
class Home:
    """An existing home: its folder and its settings."""

    folder: Path
    settings: Settings

    @classmethod
    def open(cls, folder: Path) -> "Home":
        """Open the home at `folder`.

        Raises:
            ConfigError: It is no home of headquarters, or its settings are out of range.
        """
        try:
            with (folder / "hq.json").open("rb") as file:
                text = file.read(SETTINGS_BYTES_MAX)
        except PermissionError:
            raise ConfigError(f"{folder / 'hq.json'} may not be read by you; become who made this home") from None
        except OSError as error:
            raise ConfigError(
                f"{folder} is no home of headquarters (hq.json: {error.strerror}); "
                "name one with --home, or make one with: landlink-hq --home FOLDER init --domain DOMAIN"
            ) from None
        try:
            return cls(folder, msgspec.json.decode(text, type=Settings, strict=True))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{folder / 'hq.json'}: {error}") from None

    @property
    def keys(self) -> Path:
        """Signing keys."""
        return self.folder / "keys"

    @property
    def ca(self) -> Path:
        """Certificates of the authority, the collector and the auditor, with their keys."""
        return self.folder / "ca"

    @property
    def tuf(self) -> Path:
        """The TUF repository that the collector serves and boxes mirror."""
        return self.folder / "tuf"

    @property
    def lists(self) -> Path:
        """Imported lists that wait for publication."""
        return self.folder / "lists"

    @property
    def pulled(self) -> Path:
        """Logs as pulled and verified."""
        return self.folder / "pulled"

    def incoming(self, origin: str) -> Path:
        """What has arrived of that log in a pull that was interrupted."""
        return self.folder / "incoming" / origin

    @property
    def down(self) -> Path:
        """Sealed messages to boxes, a folder each."""
        return self.folder / "down"

    @property
    def list_key_file(self) -> Path:
        """The list key in force, 32 bytes; former ones beside it as `list-key.<n>`."""
        return self.keys / "list-key"

    @property
    def voice_master_file(self) -> Path:
        """What every box's voice key is derived from, 32 bytes."""
        return self.keys / "voice-master"

    @property
    def roster_file(self) -> Path:
        """Enrolled boxes."""
        return self.folder / "roster.json"

    @property
    def record_identity(self) -> Path:
        """What opens records."""
        return self.folder / "record.identity"

    def key(self, name: str) -> Path:
        """File of the signing key of that name."""
        return self.keys / f"{name}.pem"

    def pulled_log(self, origin: str) -> Path:
        """Folder of what was pulled of that log."""
        return self.pulled / origin

    def opened_file(self, origin: str) -> Path:
        """File that says how far that log has been opened."""
        return self.folder / "opened" / f"{origin.rpartition('/')[2]}.json"

    def admit(self, mode: Mode, what: str) -> None:
        """Let pass what is of this home's own mode.

        Raises:
            Refused: It is of the other mode; live and training never mix (I7).
        """
        if mode is not self.settings.mode:
            raise Refused(
                f"{what} is of mode {mode}, this home is for {self.settings.mode}; "
                f"use the home for {mode} (--home), the two never mix"
            )
