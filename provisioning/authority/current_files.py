"""Which files of headquarters' repository make up the release in force: what an answer folder or a stick carries."""

from pathlib import Path
from typing import Final

from appliance.errors import ConfigError
from appliance.formats.mirror import wanted_files

TIMESTAMP: Final = "metadata/timestamp.json"


def current_files(tuf: Path) -> tuple[str, ...]:
    """Their paths below `hq/tuf`, timestamp.json last: whoever copies them in this order never leaves half a release.

    Raises:
        ConfigError: The repository lacks one of them.
        Malformed: Its metadata cannot be read.
    """
    used: set[str] = set()

    def read(path: str) -> bytes | None:
        try:
            content = (tuf / path).read_bytes()
        except FileNotFoundError:
            return None
        used.add(path)
        return content

    def has(path: str) -> bool:
        used.add(path)
        return (tuf / path).is_file()

    lacking = [wanted.path for wanted in wanted_files(read, has) if not wanted.optional]
    if lacking:
        raise ConfigError(f"{tuf} lacks {', '.join(lacking)}")
    return tuple(sorted(used, key=lambda path: (path == TIMESTAMP, path)))
