"""The logs that headquarters knows of, how something wrong in one of them is named, and whose signatures count."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from appliance.errors import ConfigError, Malformed, NoInput, Refused, Untrusted
from appliance.formats.note import Verifier, parse_vkey
from appliance.formats.release import RECEIPTS, Roster, RosterBox
from appliance.model import Mode
from provisioning.authority.home import Home
from provisioning.command import say
from provisioning.witness.policy import Policy, read_policy

WITNESS_POLICY: Final = "witness.policy"
NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
PROBLEMS_SHOWN_MAX: Final = 50
SUCCESSIONS_MAX: Final = 16
"""Logs that a box may begin by itself beyond the roster's. It begins one each time that it lost what it had signed; one
that lost so often is to be looked at, and one that was taken over is not to fill headquarters with names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log: whose it is, its name, and the mode that it must be of (I7)."""

    box: RosterBox
    origin: str
    mode: Mode

    @property
    def verifier(self) -> Verifier:
        """The key that signs its checkpoints; a box has one log key, each log its own name."""
        key = parse_vkey(self.box.log_vkey)
        return Verifier(self.origin, key.type, key.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        origin: The log.
        index: The entry; None when it concerns the log as a whole.
        words: What, in plain words, without personal data.
    """

    origin: str
    index: int | None
    words: str

    def __str__(self) -> str:
        place = "" if self.index is None else f" entry {self.index}"
        return f"{self.origin}{place}: {self.words}"


def problem(log: Log, index: int | None, error: Malformed | Untrusted) -> Problem:
    """An error as a problem of its place; what is malformed says so."""
    words = f"malformed: {error}" if isinstance(error, Malformed) else str(error)
    return Problem(origin=log.origin, index=index, words=words)


def print_problems(problems: list[Problem], file: TextIO) -> None:
    """Print them a line each, no more than an auditor reads."""
    for problem in problems[:PROBLEMS_SHOWN_MAX]:
        say(f"  {problem}", file)
    if len(problems) > PROBLEMS_SHOWN_MAX:
        print(f"  and {len(problems) - PROBLEMS_SHOWN_MAX} more", file=file)


def logs_of(home: Home, roster: Roster, serial: str | None) -> tuple[Log, ...]:
    """Every log of the roster, and those that were begun after them and pulled; or those of one box.

    Raises:
        Refused: No such box is enrolled, or none at all.
    """
    if not roster.boxes:
        raise Refused("no box is enrolled yet; `landlink-hq issue REQUEST --out ANSWER` enrols one")
    boxes = tuple(box for box in roster.boxes if serial in (None, box.serial))
    if not boxes:
        raise Refused(f"no box {serial} is enrolled; `landlink-hq boxes` names those that are")
    return tuple(
        Log(box=box, origin=origin, mode=home.settings.mode)
        for box in boxes
        for origin in (*box.origins, *_begun_since(home, box))
    )


def pulled_logs(home: Home, logs: tuple[Log, ...]) -> tuple[Log, ...]:
    """Those of which something was pulled. Raises Refused when there is none."""
    there = tuple(log for log in logs if home.pulled_log(log.origin).is_dir())
    if not there:
        raise Refused("nothing has been pulled yet; next: landlink-hq pull [SOURCE]")
    return there


def successor(log: Log) -> Log | None:
    """The log that the box begins if it loses this one; None beyond what headquarters takes from one box."""
    number = number_of(log.box, log.origin)
    last = max(number_of(log.box, origin) for origin in log.box.origins) + SUCCESSIONS_MAX
    if not 0 < number < last:
        return None
    return Log(box=log.box, origin=f"{log.origin.rpartition('.')[0]}.{number + 1}", mode=log.mode)


def number_of(box: RosterBox, origin: str) -> int:
    """The n of `<domain>/<serial>.<n>`; 0 for a name that is no log of this box."""
    stem, _, number = origin.rpartition(".")
    own = stem in {known.rpartition(".")[0] for known in box.origins} and NUMBER.fullmatch(number) is not None
    return int(number) if own else 0


def _begun_since(home: Home, box: RosterBox) -> tuple[str, ...]:
    """Logs that the box began by itself, of which something was pulled, oldest first."""
    domain = box.origins[0].partition("/")[0]
    names = (f"{domain}/{path.name}" for path in home.pulled_log(box.origins[0]).parent.glob("*"))
    begun = (name for name in names if name not in box.origins and number_of(box, name))
    return tuple(sorted(begun, key=lambda name: number_of(box, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose signatures count when a log is judged, beside those of its box.

    Attributes:
        cosigners: Headquarters' own cosigners, former keys too.
        receipts: Headquarters' keys for receipts, former ones too, 32 bytes each.
        policy: Which witnesses must have seen a checkpoint; None asks for none.
    """

    cosigners: tuple[Verifier, ...]
    receipts: tuple[bytes, ...]
    policy: Policy | None = None

    @property
    def notes(self) -> tuple[Verifier, ...]:
        """Every key, beside the log's, whose signature on a checkpoint is looked at."""
        witnesses = () if self.policy is None else self.policy.verifiers
        return tuple(dict.fromkeys((*self.cosigners, *witnesses)))


def trust_of(roster: Roster, policy: Policy | None = None) -> Trust:
    """Headquarters' own keys, from its roster, and the witnesses of its policy."""
    return Trust(
        cosigners=headquarters_verifiers(roster),
        receipts=tuple(key.public for key in roster.keys_of(RECEIPTS)),
        policy=policy,
    )


def policy_of(home: Home, path: Path | None) -> Policy | None:
    """The policy of witnesses in this file; without one `witness.policy` of the home, None where there is none.

    Raises:
        NoInput: This file cannot be read.
        ConfigError, Malformed: That of the home cannot be read; it is none.
    """
    own = home.folder / WITNESS_POLICY
    if path is None:
        return read_policy(own) if own.exists() else None
    try:
        return read_policy(path)
    except ConfigError as error:
        raise NoInput(f"{error}; name one that is there, and that you may read") from None


def headquarters_verifiers(roster: Roster) -> tuple[Verifier, ...]:
    """The keys of headquarters' own cosigners."""
    return tuple(parse_vkey(key.vkey) for key in roster.keys if key.vkey)
