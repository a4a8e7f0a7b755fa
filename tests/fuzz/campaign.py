"""Coverage-guided runs: each target in a process of its own under atheris, with bounds of time and memory per input."""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.corpus import inputs_of
from tests.fuzz.mutation import TOKENS
from tests.fuzz.reading import Target

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 120
"""For the imports and the seeds, on a busy machine."""
_LINE: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
_STATISTIC: Final = re.compile(r"stat::(\w+): +(\d+)")
KINDS: Final = {77: "broke its promise", 70: "took too long", 71: "took too much memory"}
"""libFuzzer's exit codes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to.

    Attributes:
        executions: Inputs tried.
        edges: Branches of our code that some input took.
        features: Branches with how often, as far as libFuzzer tells numbers apart.
        corpus: Inputs that reached a new one.
        slowest_s, memory_mb: The worst of all inputs.
        finding: What happened; "" when nothing did.
        folder: Its corpus, its log, and the input of a finding.
    """

    name: str
    executions: int
    edges: int
    features: int
    corpus: int
    slowest_s: int
    memory_mb: int
    finding: str
    folder: Path


def guide(name: str, target: Target, *, seconds: float, seed: int) -> Outcome:
    """Run one target, on what earlier runs have kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(inputs_of(name, target)):
        (corpus / str(number)).write_bytes(content)
    (folder / "words").write_text(
        "".join(f'"{_escaped(word)}"\n' for word in (*TOKENS, *target.words)), encoding="ascii"
    )
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(int(not target.arrays))]
    command += [f"-max_total_time={max(1, round(seconds))}"]
    command += [f"-timeout={target.timeout_s}", f"-rss_limit_mb={target.memory_mb}", f"-max_len={target.bytes_max}"]
    command += [f"-seed={seed % 2**32}", "-print_final_stats=1", f"-dict={folder / 'words'}"]
    command += [f"-artifact_prefix={folder}/found-", str(corpus)]
    log = folder / "log"
    with log.open("wb") as output:
        code = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, timeout=seconds + START_S, check=False
        ).returncode
    return _outcome(name, code, log)


def guide_all(targets: dict[str, Target], *, seconds: float, seed: int, jobs: int) -> list[Outcome]:
    """Run each target for `seconds`, `jobs` at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda item: guide(*item, seconds=seconds, seed=seed), targets.items()))


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02X}" for byte in word)


def _outcome(name: str, code: int, log: Path) -> Outcome:
    said = log.read_text(encoding="utf-8", errors="replace")
    edges, features, corpus = max(
        ((int(edges), int(features), int(inputs)) for edges, features, inputs in _LINE.findall(said)), default=(0, 0, 0)
    )
    statistics = {key: int(value) for key, value in _STATISTIC.findall(said)}
    finding = "" if code == 0 else KINDS.get(code, f"ended with {code}")
    return Outcome(
        name=name,
        executions=statistics.get("number_of_executed_units", 0),
        edges=edges,
        features=features,
        corpus=corpus,
        slowest_s=statistics.get("slowest_unit_time_sec", 0),
        memory_mb=statistics.get("peak_rss_mb", 0),
        finding=finding,
        folder=log.parent,
    )
