"""Take the mirror's newest release onto the shelf, or refuse it by name; the old one stays until the last step.

1. python-tuf's client follows the mirror from the release in service (gather.py).
2. What it gathered lies in a new folder and is verified again as at every load (formats/release.py), and the documents
   list page by page: a damaged list takes a list out of service, but it puts none into service.
3. The version is higher than the one in service, and that of its rules is not lower.
4. The lists are opened and answer what is known beforehand (canaries of issuer UTO). That needs their key: a release
   whose key has not reached the box yet waits, unless none is in service. The first one brings the keys by which the
   recorder knows headquarters' messages, the list key among them, so it is taken untested.
5. Everything is on the disk; the folder gets its name; `current` is replaced in one step (switch.py).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.release import Release
from appliance.releases.gather import gather_release
from appliance.releases.switch import switch_release
from appliance.releases.whole import check_whole
from appliance.screen.lists import Lists
from appliance.shelf import Shelf, load_release

_NEW: Final = ".new"


class WaitingForKey(Untrusted):
    """The newest release holds, and cannot be tested yet.

    Attributes:
        lacking: Identifiers of the list keys that it is under and that are not here.
    """

    def __init__(self, version: int, lacking: frozenset[bytes]) -> None:
        self.lacking = lacking
        super().__init__(f"release {version} is waiting for its key, which has not reached this box yet")


def take_release(shelf: Shelf, mirror: Path, *, lower_bound_ms: int, keys: Sequence[bytes]) -> Release | None:
    """Put the mirror's newest release into service.

    Args:
        shelf: Where releases lie; this process alone writes there.
        mirror: `state/mirror`.
        lower_bound_ms: It is later than this, milliseconds since 1970; what expired before is refused.
        keys: List keys that have reached this box.

    Returns:
        The release now in service, None when the one that was is the newest.

    Raises:
        WaitingForKey: The mirror's newest is under a list key that is not here; the shelf is as it was.
        Untrusted, Malformed: It is refused, and why; the shelf is as it was.
        StorageFull, StorageFault: It could not be written; the shelf is as it was.
    """
    pinned = shelf.pinned_root()
    new = shelf.folder / _NEW
    gather_release(shelf, new, mirror, lower_bound_ms=lower_bound_ms)
    release = load_release(new, pinned)
    in_service = shelf.version()
    if release.version == in_service and _whole(shelf):
        shutil.rmtree(new, ignore_errors=True)
        return None
    _check(release, in_service, keys)
    _check_rules(release, shelf)
    switch_release(shelf, new, release.version)
    return release


def _whole(shelf: Shelf) -> bool:
    """Whether the release in service still holds; a damaged one is replaced by the same one from the mirror."""
    try:
        check_whole(shelf.load())
    except (Untrusted, Malformed, StorageFault):
        return False
    return True


def _check(release: Release, in_service: int, keys: Sequence[bytes]) -> None:
    if release.version < in_service:
        raise Untrusted(f"release {release.version} is older than {in_service}, which is in service")
    check_whole(release)
    lists = Lists.from_release(release, keys)
    if not lists.lacking:
        lists.self_test()
    elif in_service not in (0, release.version):
        raise WaitingForKey(release.version, lists.lacking)


def _check_rules(release: Release, shelf: Shelf) -> None:
    """Headquarters counts its rules up: older ones, or others of the same number, were signed by somebody else.

    Raises:
        Untrusted: They are such.
    """
    try:
        known = shelf.load(lists=False).rules
    except (Untrusted, Malformed, StorageFault):
        return  # nothing is in force that they could be compared with
    if release.rules.version < known.version:
        raise Untrusted(f"its rules {release.rules.version} are older than {known.version}, which are in force")
    if release.rules.version == known.version and release.rules != known:
        raise Untrusted(f"its rules differ from those in force, and both have the number {known.version}")
