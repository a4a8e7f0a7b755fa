"""What opens records: `record`, `protection` and `escrow`, each the one in use with those that came before it.

```
record.identity     the one in use      record.identity.1, .2 ...   former ones, the oldest first
```
A former identity opens what was sealed until every box had the release that names its successor. Nothing is sealed to
it again, and it is never thrown away by a command: with it goes everything of its time.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.errors import ConfigError, Malformed
from appliance.files import write_durably
from appliance.formats.age import Identity, generate_identity, parse_identity
from provisioning.authority.keys import read_key_file

IDENTITIES: Final = ("record", "escrow", "protection")
IDENTITY_BYTES_MAX: Final = 4_096


def identity_file(folder: Path, name: str) -> Path:
    """Where the identity in use lies in headquarters' folder."""
    return folder / f"{name}.identity"


def write_identity(path: Path, identity: Identity) -> None:
    """Write it as one line, 0600, durably. Raises StorageFull, StorageFault."""
    write_durably(path, f"{identity.encode()}\n".encode("ascii"), mode=0o600)


def load_identity(path: Path, former: Sequence[Identity] = ()) -> Identity:
    """Read one identity; it opens what was sealed to `former`, too. Raises ConfigError when it is missing or none."""
    content = read_key_file(path, IDENTITY_BYTES_MAX)
    try:
        return parse_identity(content.decode("ascii").strip(), former)
    except (Malformed, UnicodeDecodeError):
        raise ConfigError(f"{path}: no identity of the form AGE-SECRET-KEY-PQ-1...") from None


def load_succession(path: Path) -> Identity:
    """Read the identity in use at `path` with the former ones beside it. Raises ConfigError, as for one of them."""
    return load_identity(path, [load_identity(each) for each in reversed(former_files(path))])


def succeed(path: Path) -> Identity:
    """Make a new identity the one in use, the present one a former one; returns the new one.

    The former is durable under its number before the new one takes its place, so an interruption leaves both or the
    old one in use.

    Raises:
        ConfigError: There is none in use here.
        StorageFull, StorageFault: The one in use is what it was.
    """
    present, former = load_identity(path), former_files(path)
    if not former or load_identity(former[-1]).recipient != present.recipient:  # there when an attempt was interrupted
        write_identity(path.with_name(f"{path.name}.{_number(former[-1]) + 1 if former else 1}"), present)
    following = generate_identity()
    write_identity(path, following)
    return following


def former_files(path: Path) -> list[Path]:
    """Files of the former ones of the identity at `path`, the oldest first."""
    numbered = [each for each in path.parent.glob(f"{path.name}.*") if each.suffix[1:].isdecimal()]
    return sorted(numbered, key=_number)


def _number(path: Path) -> int:
    return int(path.suffix[1:])
