"""`python -m tests.fuzz [NAME [SECONDS [SEED]]]`: parsers against ever new bytes.

Alone, every target for half a second, always with the same changes. With a name, that one for a minute or SECONDS:
coverage-guided when atheris is installed (it is no dependency: `pip install atheris` where wanted), otherwise seeds are
changed blindly, and the same SEED changes them alike. What breaks the target's promise is written to the folder for
temporary files, and the command ends with 1.
"""

import hashlib
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.mutation import mutate
from tests.fuzz.targets import TARGETS, Target

SHORT_S = 0.5
SEED = 47113
"""Of a run without a name."""


def main(arguments: list[str]) -> int:
    """Run one target; returns the exit code."""
    if len(arguments) > 3 or (arguments and arguments[0] not in TARGETS):
        print(f"python -m tests.fuzz [NAME [SECONDS [SEED]]]; names: {', '.join(TARGETS)}")
        return 64
    if not arguments:
        return max(_blind(target, name, SHORT_S, SEED) for name, target in TARGETS.items())
    name, seconds = arguments[0], float(arguments[1]) if len(arguments) > 1 else 60.0
    if len(arguments) < 3 and importlib.util.find_spec("atheris"):
        _guided(TARGETS[name], name, seconds)
    return _blind(TARGETS[name], name, seconds, int(arguments[2]) if len(arguments) > 2 else time.time_ns())


def _blind(target: Target, name: str, seconds: float, seed: int) -> int:
    chance = random.Random(seed)
    seeds = target.seeds()
    until, runs = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutate(chance.choice(seeds), chance)
        try:
            target.run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            path = _kept(name, data)
            print(f"{name}: {type(error).__name__}: {error}; the input is {path}, the run's seed {seed}")
            return 1
        runs += 1
    print(f"{name}: {runs} inputs in {seconds:.0f} s, seed {seed}: nothing broke")
    return 0


def _kept(name: str, data: bytes) -> Path:
    path = Path(tempfile.gettempdir()) / f"fuzz-{name}-{hashlib.sha256(data).hexdigest()[:16]}"
    path.write_bytes(data)
    return path


def _guided(target: Target, name: str, seconds: float) -> None:
    """Never returns: libFuzzer ends the process, with 77 when it found something."""
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, seed in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(seed)
    atheris.instrument_all()
    atheris.Setup(["fuzz", f"-max_total_time={seconds:.0f}", f"-artifact_prefix={corpus}/", str(corpus)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
