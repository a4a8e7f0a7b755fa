"""Releases that are laid into a running box's mirror one after another, as fast as it takes them.

They are made by the real commands on a copy of headquarters, beforehand, so that nothing but the switching costs time
while travellers come. In every second one the document LISTED is not listed.
"""

import math
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.files import replace_file
from appliance.shelf import Shelf

BIN: Final = Path(sys.executable).parent
LISTED: Final = "PA0047113"
CHANGES: Final = "din,issuing_country,doc_type,fraud_type,op\n"
LOOK_S: Final = 0.05


def make_releases(hq: Path, folder: Path, how_many: int) -> list[Path]:
    """Publish so many releases on a copy of `hq`; each one's repository, whole, in order."""
    home = folder / "hq"
    shutil.copytree(hq, home)
    changes = folder / "changes.csv"
    releases: list[Path] = []
    for number in range(how_many):
        changes.write_text(f"{CHANGES}{LISTED},LAO,P,stolen,{'DA'[number % 2]}\n", encoding="utf-8")
        for verb in (("import", "documents", changes), ("publish",)):
            subprocess.run([BIN / "landlink-hq", "--home", home, *verb], check=True, capture_output=True)
        releases.append(folder / str(number))
        shutil.copytree(home / "tuf", releases[-1])
    return releases


@dataclass
class Switcher:
    """Lays the next release as soon as the box has switched to the one before.

    Attributes:
        box: Its durable files.
        releases: From `make_releases`.
        switched: Versions that were in service, in order.
    """

    box: Path
    releases: Sequence[Path]
    switched: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="switcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """Every release has been in service."""
        return len(self.switched) == len(self.releases)

    def _run(self) -> None:
        for release in self.releases:
            before = self._version()
            lay(release, self.box / "mirror")
            while self._version() == before:
                if self._over.wait(LOOK_S):
                    return
            self.switched.append(self._version())

    def _version(self) -> int:
        return Shelf(self.box / "releases").version()


def lay(release: Path, mirror: Path) -> None:
    """As a carrier does it: whole files, timestamp.json last."""
    for path in sorted(release.rglob("*")):
        place = mirror / path.relative_to(release)
        if path.is_file() and path.name != "timestamp.json" and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_file(place, path.read_bytes())
    replace_file(mirror / "metadata" / "timestamp.json", (release / "metadata" / "timestamp.json").read_bytes())


def quantile_ms(took_ns: Sequence[int], share: float) -> float:
    """The smallest that at least this share of all does not exceed."""
    ordered = sorted(took_ns)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] / 1e6
