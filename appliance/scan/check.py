"""`landlink-box check --scanner`: what a probe of a port found, in a technician's words; no document's text."""

from pathlib import Path
from typing import Final

from appliance.config import ScannerConfig
from drivers.api import Found

NO_PORT: Final = "box.toml names no port; name one: landlink-box check --scanner /dev/serial/by-id/..."
BY_ID: Final = (("/dev/serial/by-id", "*"), ("/dev/input/by-id", "*-event-kbd"))


def agrees(found: Found, port: Path, scanner: ScannerConfig) -> bool:
    """Whether a booth with this box.toml would read what was found."""
    return not found.note and not _needed(found, port, scanner)


def in_words(found: Found, port: Path, scanner: ScannerConfig) -> str:
    """What was found, and what to do about it."""
    said = [f"{port}: {found.answer}."]
    if found.note:
        said.append(f"It cannot be used: {found.note}.")
    elif needed := _needed(found, port, scanner):
        said.append("box.toml says otherwise. Under [scanner] it needs:\n" + "\n".join(needed))
    else:
        said.append("That is what box.toml says.")
    if found.remark:
        said.append(found.remark)
    return "\n".join(said)


def why_not(port: Path, why: str) -> str:
    """Why nothing was found, and what to do about it."""
    lines = [f"{port}: {why}."]
    if "holds the port" in why:
        lines.append(
            "If that is the booth, its page says how the scanner stands, and nothing was disturbed. To try the port "
            "all the same: systemctl stop booth.service, and start it again after that."
        )
    else:
        there = sorted(str(path) for folder, names in BY_ID for path in Path(folder).glob(names))
        lines.append("Plugged in are: " + ", ".join(there) if there else "No scanner and no keyboard is plugged in.")
    return "\n".join(lines)


def _needed(found: Found, port: Path, scanner: ScannerConfig) -> list[str]:
    """The lines of box.toml that would have to change."""
    wanted = dict(found.settings)
    if not _same(port, scanner):
        wanted = {"port": str(port.absolute()), **wanted}  # the booth does not run where this was asked
    return [
        f"{name} = {str(value).lower() if isinstance(value, bool | int) else f'{chr(34)}{value}{chr(34)}'}"
        for name, value in wanted.items()
        if name == "port" or getattr(scanner, name) != value
    ]


def _same(port: Path, scanner: ScannerConfig) -> bool:
    return scanner.port is not None and port.resolve() == Path(scanner.port).resolve()
