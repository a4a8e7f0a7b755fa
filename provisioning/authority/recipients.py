"""To whom boxes seal: what is published of it (TUF, 2 of 3 offline keys), how old it is, and its change.

A change takes two desks: where the identity belongs, `rotate NAME --out FILE` makes the next one and writes its public
half; where the offline keys are brought, `rotate NAME --recipient FILE` publishes that. People carry the file, which
is not secret, and compare its fingerprint. A home that has both does both at once.

The new identity is in use at its desk before any box is told: it opens what was sealed to the former ones, too. So an
interruption anywhere leaves everything readable, and whoever does it again goes on where it ended.
"""

from pathlib import Path
from typing import Final

import msgspec

from appliance.command import named
from appliance.errors import Malformed, Refused
from appliance.files import open_regular
from appliance.formats.age import TEXT_CHARACTERS_MAX, parse_recipient
from appliance.formats.release import RECIPIENTS_TARGET, Recipients, encode_recipients, parse_recipients
from provisioning.authority.home import Home
from provisioning.authority.identities import identity_file, load_identity, succeed
from provisioning.authority.repository import Repository

FIELDS: Final = {"record": "general", "escrow": "escrow", "protection": "protection"}
"""Names of identities at headquarters, and of their public halves in `recipients.json`."""
QUARTER_DAYS: Final = 92
"""A record key that boxes have sealed to for longer is due for its successor."""
_DAY_MS: Final = 86_400_000


def published_recipients(home: Home) -> Recipients:
    """To whom boxes seal that have the last release. Raises ConfigError, Malformed, StorageFault."""
    data = Repository(home.folder).target(RECIPIENTS_TARGET)
    assert data is not None, "every release has recipients"
    return parse_recipients(data)


def record_key_days(home: Home, *, at_ms: int) -> int:
    """Since when boxes seal to the present record key, in days, by the signed metadata: the identity lies elsewhere."""
    repository = Repository(home.folder)
    present, since_ms = published_recipients(home).general, at_ms
    for signed_ms, data in repository.past(RECIPIENTS_TARGET):
        if parse_recipients(data).general != present:
            break
        since_ms = signed_ms
    return (at_ms - since_ms) // _DAY_MS


def next_recipient(home: Home, name: str) -> str:
    """Make the next identity of that name in this home, unless its present one is not published yet; its public half.

    Raises:
        ConfigError: It is not here.
        StorageFull, StorageFault: The one in use is what it was.
    """
    path = identity_file(home.folder, name)
    present = load_identity(path).recipient.encode()
    if present != _field(published_recipients(home), name):
        return present  # an attempt that was interrupted, or whose publication is still on its way
    return succeed(path).recipient.encode()


def following_recipients(home: Home, name: str, recipient: str) -> Recipients:
    """The recipients that follow, with this public half in place of the present one of that name.

    Raises:
        Malformed: It is no recipient.
        Refused: It is published already, under this or another name.
    """
    parse_recipient(recipient)
    present = published_recipients(home)
    for other, field in FIELDS.items():
        if getattr(present, field) == recipient:
            raise Refused(f"that recipient is in service already, as {other}; make the next with: rotate {name} --out")
    return msgspec.structs.replace(present, version=present.version + 1, **{FIELDS[name]: recipient})


def publish_recipient(home: Home, name: str, recipient: str, *, at_ms: int) -> Recipients:
    """Publish this public half in place of the present one of that name; needs 2 of the 3 offline keys.

    Raises:
        Malformed, Refused: As `following_recipients`.
        ConfigError: Offline keys are missing.
        StorageFull, StorageFault: Boxes go on with the present ones.
    """
    following = following_recipients(home, name, recipient)
    Repository(home.folder).publish({RECIPIENTS_TARGET: encode_recipients(following)}, at_ms=at_ms)
    return following


def read_recipient(path: Path) -> str:
    """The public half in a file that was carried here. Raises NoInput, Malformed."""
    try:
        with named(path), open_regular(path) as file:
            text = file.read(TEXT_CHARACTERS_MAX + 2).decode("ascii").strip()
    except UnicodeDecodeError:
        raise Malformed(f"{path.name}", "no recipient of the form age1pq1...") from None
    parse_recipient(text)
    return text


def _field(recipients: Recipients, name: str) -> str:
    return str(getattr(recipients, FIELDS[name]))
