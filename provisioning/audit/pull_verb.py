"""What `landlink-hq pull` does: every log that was asked for, several at once, each from where it is to be had.

One log's failure stops no other. After a pull that held, headquarters cosigns, and a box that was asked itself is given
the cosignature at once; others get it from the collector or by a stick.
"""

import argparse
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from appliance.errors import LandlinkError, Malformed, Refused, Untrusted, UplinkFault
from provisioning.audit.at_once import each_at_once
from provisioning.audit.cosigning import Desk
from provisioning.audit.https_source import HttpsSource, auditor_tls, box_at, box_tls
from provisioning.audit.incoming import Incoming
from provisioning.audit.log import Log, Trust, logs_of, policy_of, print_problems, successor, trust_of
from provisioning.audit.progress import Advance, bars
from provisioning.audit.pull import Pulled, pull
from provisioning.audit.source import Source, folder_sources
from provisioning.audit.store import PulledLog
from provisioning.audit.when import cosigned_head
from provisioning.audit.witnessing import require_quorum
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import now_ms, say
from provisioning.lock import alone

ASK_S: Final = 5.0
"""How long a pull from elsewhere waits for the collector: a desk without a network has none."""
GRAVEST: Final = Untrusted.exit_code
WHOLE: Final = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One log to pull.

    Attributes:
        log: Which.
        address: Where it is asked for over the network; "" for a folder.
        box: Serial of the box that answers there; None for a collector.
        folder: The source, where it is a folder.
        collector: Address at which the collector can be asked what it has signed; "" where it does not answer.
    """

    log: Log
    address: str = ""
    box: str | None = None
    folder: Source | None = None
    collector: str = ""


@dataclass(slots=True)
class Done:
    """What became of a job.

    Attributes:
        lines: For standard output.
        complaints: For standard error.
        code: Exit code.
    """

    pulled: Pulled | None = None
    lines: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])
    code: int = 0


def run_pull(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code: 76 where a log contradicts itself, else the first that is not 0."""
    home = Home.open(arguments.home)
    roster = read_roster(home)
    jobs = _jobs(home, logs_of(home, roster, arguments.box), arguments.source)
    pulling = Pulling(home, trust_of(roster, policy_of(home, arguments.policy)), Desk.of(home))
    with bars() as shown:
        whole = shown.bar(WHOLE) if len(jobs) > 1 else None

        def one(job: Job) -> Done:
            with shown.passing(job.log.origin) as advance:
                return pulling.pull(job, advance)

        found = each_at_once(jobs, one, lambda done: None if whole is None else whole("", done, len(jobs)))
        found += _follow(jobs, found, one)
    for done in found:
        _print(done)
    codes = [done.code for done in found]
    return GRAVEST if GRAVEST in codes else next((code for code in codes if code), 0)


def _follow(jobs: Sequence[Job], found: Sequence[Done], one: Callable[[Job], Done]) -> list[Done]:
    """Pull the logs that boxes began after those, from the same places: one that lost its log begins another."""
    asked = {job.log.origin for job in jobs}
    followed: list[Done] = []
    waiting = [job for job, done in zip(jobs, found, strict=True) if done.pulled is not None and done.pulled.size]
    while waiting:
        job = waiting.pop()
        log = successor(job.log)
        if log is None or log.origin in asked or job.folder is not None:  # of a folder, all that lies there was asked
            continue
        following = replace(job, log=log)
        done = one(following)
        if done.pulled is not None and done.pulled.size:
            waiting.append(following)
        elif not done.complaints:
            continue  # it has begun none
        followed.append(done)
    return followed


class Pulling:
    """Pulls one log after the other; for any number of threads, each with another log.

    Args:
        home: Headquarters.
        trust: Whose signatures count.
        desk: Cosigns; None where its keys are not here.
    """

    def __init__(self, home: Home, trust: Trust, desk: Desk | None) -> None:
        self._home = home
        self._trust = trust
        self._desk = desk

    def pull(self, job: Job, advance: Advance) -> Done:
        """Pull one log, cosign it, give the cosignature back; no LandlinkError leaves it."""
        done = Done()
        try:
            busy = f"{job.log.origin} is being pulled by another command; wait for it"
            with alone(_beside(self._home.incoming(job.log.origin), "lock"), busy=busy):
                self._pull(job, advance, done)
        except LandlinkError as error:
            done.complaints.append(f"{job.log.origin}: refused: {error}")
            done.code = done.code or error.exit_code
        return done

    def _pull(self, job: Job, advance: Advance, done: Done) -> None:
        kept = PulledLog(job.log, self._home.pulled_log(job.log.origin))
        with self._source(job) as (source, incoming), self._collector(job, source) as collector:
            try:
                done.pulled = pull(kept, source, self._trust, advance, collector=collector)
            except (Untrusted, Malformed, Refused):
                incoming.clear()
                raise
            incoming.clear()
            held = done.pulled.size > 0 and not done.pulled.problems
            note, cosigned = self._cosign(kept) if held else (b"", "")
            done.pulled.problems += require_quorum(kept, self._trust)  # headquarters may be one of its witnesses
            done.code = int(bool(done.pulled.problems))
            done.lines.append(_summary(done.pulled, cosigned))
            if note and isinstance(source, HttpsSource) and source.box is not None:
                _give_back(note, source, done)

    def _cosign(self, kept: PulledLog) -> tuple[bytes, str]:
        """The checkpoint with headquarters' word on a copy that held, b"" without; and how that is said."""
        before = kept.note()
        assert before is not None, "something was pulled"
        if self._desk is not None:
            note = self._desk.cosign(kept, at_ms=now_ms())
            return note, "cosigned by headquarters" if note == before else "cosigned by headquarters now"
        if cosigned_head(before, kept.log.verifier, self._trust.cosigners) is None:
            return b"", "not cosigned: headquarters' cosigning keys are not in this home"
        return before, "cosigned by headquarters"

    @contextmanager
    def _source(self, job: Job) -> Generator[tuple[Source, Incoming]]:
        incoming = Incoming(self._home.incoming(job.log.origin), job.address)
        if job.folder is not None:
            yield job.folder, incoming
            return
        tls = auditor_tls(self._home) if job.box is None else box_tls(self._home)
        with closing(HttpsSource(job.address, job.log.origin, tls, incoming, box=job.box)) as source:
            yield source, incoming

    @contextmanager
    def _collector(self, job: Job, source: Source) -> Generator[Source | None]:
        """Headquarters' collector, to be asked what it has signed: the source itself, another address, or nobody."""
        if job.address == job.collector != "":
            yield source
            return
        if not job.collector:
            yield None
            return
        aside = Incoming(_beside(self._home.incoming(job.log.origin), "asked"), job.collector)
        tls = auditor_tls(self._home)
        with closing(HttpsSource(job.collector, job.log.origin, tls, aside)) as asked:
            yield asked


def _give_back(note: bytes, source: HttpsSource, done: Done) -> None:
    """Give a box the cosigned checkpoint; what it does not take is said, and a stick or the next pull brings it."""
    try:
        if source.give_back(note):
            done.lines.append(f"  box {source.box} keeps the cosigned checkpoint")
    except UplinkFault as fault:
        done.complaints.append(f"the cosigned checkpoint is not at the box yet: {fault}")
        done.code = done.code or fault.exit_code


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f"{folder.name}.{suffix}")


def _jobs(home: Home, logs: tuple[Log, ...], where: str | None) -> list[Job]:
    """Each log with where it is pulled from.

    Raises:
        ConfigError: The source cannot be one.
        Refused: It is another box than was asked for.
        Untrusted: A folder holds logs, but of no enrolled box.
        UplinkFault: Nobody answers at the address.
    """
    collector = f"https://{home.settings.collector_host}:{home.settings.collector_port}"
    if where is None:
        return [Job(log=log, address=collector, collector=collector) for log in logs]
    if "://" not in where:
        return _folder_jobs(logs, where, _answering(collector, home))
    box = box_at(where, home)
    if box is None:
        return [Job(log=log, address=where, collector=where) for log in logs]
    own = [log for log in logs if log.box.serial == box]
    if not own:
        raise Refused(f"{where} is box {box}, which is not enrolled, or not the one that was asked for")
    asked = _answering(collector, home)
    return [Job(log=log, address=where, box=box, collector=asked) for log in own]


def _folder_jobs(logs: tuple[Log, ...], where: str, collector: str) -> list[Job]:
    found = folder_sources(Path(where))
    whole = dict.fromkeys(begun for log in logs for begun in _line(log))
    jobs = [Job(log=log, folder=found[log.origin], collector=collector) for log in whole if log.origin in found]
    if not jobs:
        named = ", ".join(sorted(found))[:200]
        raise Untrusted(f"{where}: holds the log {named!r}, which is none of the enrolled boxes that were asked for")
    return jobs


def _line(log: Log) -> Generator[Log]:
    """A log, and every one that its box may have begun after it."""
    following: Log | None = log
    while following is not None:
        yield following
        following = successor(following)


def _answering(collector: str, home: Home) -> str:
    """The collector's address; "" where it does not answer, which is said."""
    try:
        box_at(collector, home, timeout_s=ASK_S)
    except UplinkFault:
        print(f"{collector} does not answer: what it has signed is as it was at the last pull", file=sys.stderr)
        return ""
    return collector


def _summary(pulled: Pulled, cosigned: str) -> str:
    if pulled.size == 0:
        return f"{pulled.origin}: nothing has arrived yet"
    if pulled.problems:
        return f"{pulled.origin}: {pulled.size} entries, {pulled.entries} of them new; NOT all as it should be:"
    unproven = f"; {pulled.unproven} name what the collector has yet to show" if pulled.unproven else ""
    return (
        f"{pulled.origin}: {pulled.size} entries, {pulled.entries} of them new, all signed and in place; "
        f"{pulled.bodies} new bodies, {pulled.awaited} awaited; {cosigned}{unproven}"
    )


def _print(done: Done) -> None:
    for line in done.lines:
        say(line)
    if done.pulled is not None:
        print_problems(done.pulled.problems, sys.stdout)
    for line in done.complaints:
        say(line, sys.stderr)
