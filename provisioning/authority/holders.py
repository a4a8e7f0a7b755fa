"""Who holds which of headquarters' keys, and what for: the words of a command that does not find one, or finds another.

The table in README.md says the same; a test compares them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Holding:
    """A key's purpose and place, as parts of a sentence: "it SIGNS OR OPENS; it belongs WITH HOLDER"."""

    purpose: str
    holder: str


_PERSONS: Final = "three persons who keep one each, locked away"
_PUBLISHING: Final = "the publishing machine"
_COLLECTOR: Final = "the collector"
_ENROLLING: Final = "whoever enrols boxes"

HOLDINGS: Final = {
    "root": Holding("says who may sign for headquarters", _PERSONS),
    "offline": Holding("signs recipients and roster", _PERSONS),
    "lists": Holding("signs lists", _PUBLISHING),
    "policy": Holding("signs policy and rules", _PUBLISHING),
    "snapshot": Holding("signs releases", _PUBLISHING),
    "timestamp": Holding("signs releases", _PUBLISHING),
    "list-key": Holding("seals lists", _PUBLISHING),
    "receipts": Holding("signs delivery receipts", _COLLECTOR),
    "cosign-ed25519": Holding("cosigns checkpoints", _COLLECTOR),
    "cosign-mldsa44": Holding("cosigns checkpoints", _COLLECTOR),
    "custody": Holding("signs headquarters' own log", "the auditor's desk"),
    "answers": Holding("signs answers to boxes", "the duty desk"),
    "directives": Holding("signs keys for boxes", _ENROLLING),
    "voice-master": Holding("makes voice codes", "the duty desk and whoever enrols boxes"),
    "ca": Holding("signs TLS certificates", _ENROLLING),
    "record": Holding("opens records", "the auditor's desk"),
    "protection": Holding("opens victims' files", "the protection unit"),
    "escrow": Holding("opens everything", "those who keep its parts, locked away"),
}
"""By file name, without its ending and its number."""


def absent(path: Path) -> ConfigError:
    """The error for a key that is not in this home: which, what for, who has it, what to do."""
    holding = HOLDINGS.get(_stem(path))
    if holding is None:
        return ConfigError(f"{path} is not here")
    return ConfigError(
        f"{path.name} is not here: it {holding.purpose}; it belongs with {holding.holder}. "
        f"Run this where it is, or bring it to {path.parent}"
    )


def of_another_role(path: Path, role: str) -> ConfigError:
    """The error for a key that is not the one that boxes believe in this role."""
    holding = HOLDINGS[_stem(path)]
    return ConfigError(
        f"{path.name} is not the key that boxes know as {role}: what it signs they would refuse. "
        f"The right one belongs with {holding.holder}; bring it to {path.parent}"
    )


def _stem(path: Path) -> str:
    name = path.name.partition(".")[0]
    base, _, number = name.rpartition("-")
    return base if number.isdecimal() else name
