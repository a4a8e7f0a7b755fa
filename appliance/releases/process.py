"""The process `releases`, put together from the configuration."""

import signal
import sys
import threading
from typing import Final

from appliance.config import Config
from appliance.files import storage
from appliance.line import RecorderLine
from appliance.releases.proven import ProvenTime
from appliance.releases.service import Places, Releases
from appliance.shelf import Shelf

ASK_S: Final = 2.0
"""How long one telling of the recorder may take; it is repeated at the next look."""


def run(config: Config) -> None:
    """Verify and switch until told to stop (SIGTERM, SIGINT).

    Raises:
        StorageFault, StorageFull: The card; the supervisor starts the process again.
    """
    shelf = Shelf(config.state / "releases")
    places = Places(mirror=config.state / "mirror", shelf=shelf, status=config.runtime / "releases.status")
    with storage("making the folders of releases"):
        shelf.folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    line = RecorderLine(config.runtime / "releases.sock", timeout_s=ASK_S)
    Releases(places, line, ProvenTime(shelf), _report).run(stop)


def _report(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 - the journal of a unit is its standard error
