"""Simulators of the hardware as processes: `python -m drivers.simulators desk --folder DIR`.

Prints `ready` when everything is in place; ends on SIGTERM or SIGINT with exit code 0.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from drivers.simulators.desk import Desk
from drivers.simulators.scanners import DIALECTS


async def _run_desk(folder: Path, dialect: str) -> None:
    ready = asyncio.Event()
    desk = asyncio.create_task(Desk(folder, dialect=dialect).run(ready))
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, desk.cancel)
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((desk, waiting), return_when=asyncio.FIRST_COMPLETED)
    if ready.is_set():
        print("ready", flush=True)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await desk


def main() -> int:
    """Run one simulator until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m drivers.simulators", description="Hardware that is not there.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    desk = verbs.add_parser("desk", help="scanner, camera, lamps and buttons of one box")
    desk.add_argument("--folder", type=Path, required=True, help="where its sockets, pty link and lamps.jsonl go")
    desk.add_argument("--dialect", choices=sorted(DIALECTS), default="elyctis", help="what the scanner speaks")
    arguments = parser.parse_args()
    asyncio.run(_run_desk(arguments.folder, arguments.dialect))
    return 0


if __name__ == "__main__":
    sys.exit(main())
