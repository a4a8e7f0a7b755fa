"""A recorder whose token can be pulled, and whose clock can be a day ahead: so an epoch ends without its token.

lost_token.py FOLDER     the box in FOLDER; while FOLDER/pulled exists the token is away, FOLDER/next-day is the clock
"""

import sys
from pathlib import Path

from appliance.clock import Grade, Instant, SystemClock
from appliance.model import Mode
from appliance.record.headquarters import Headquarters, ProvenTime
from appliance.record.keys import read_log_key
from appliance.record.places import Places
from appliance.record.service import Service, Setting
from appliance.record.signing import Signing
from appliance.record.sockets import Role
from appliance.shelf import Shelf
from drivers.api import DeviceError
from drivers.key_store import FileKeyStore

DAY_MS = 25 * 3_600_000


class PullableStore(FileKeyStore):
    """Signs while nobody has pulled it."""

    def __init__(self, path: Path, pulled: Path) -> None:
        super().__init__(path)
        self._pulled = pulled

    def sign(self, message: bytes) -> bytes:
        if self._pulled.exists():
            raise DeviceError("the token is not there")
        return super().sign(message)


class LeapingClock(SystemClock):
    """The machine's, or a day ahead."""

    def __init__(self, next_day: Path) -> None:
        super().__init__(grade=lambda: Grade.NONE, lower_bound_ms=lambda: 0)
        self._next_day = next_day

    def now(self) -> Instant:
        now = super().now()
        ahead = DAY_MS if self._next_day.exists() else 0
        return Instant(
            wall_ms=now.wall_ms + ahead,
            grade=now.grade,
            lower_bound_ms=now.lower_bound_ms,
            boot_id=now.boot_id,
            boot_ms=now.boot_ms + ahead,
        )


def main(folder: Path) -> None:
    places = Places(folder / "state", folder / "run")
    clock = LeapingClock(folder / "next-day")

    def signing() -> Signing:
        return Signing(
            serial="LA-0001",
            identity=PullableStore(places.identity_key, folder / "pulled"),
            log_key=read_log_key(places.log_key),
            mode=Mode.LIVE,
            software="0",
            clock=clock,
        )

    setting = Setting(
        places=places,
        mode=Mode.LIVE,
        signing=signing,
        headquarters=Headquarters(Shelf(places.releases), ProvenTime()),
        uids=dict.fromkeys((Role.BOOTH, Role.UPLINK, Role.RELEASES), 0),
        hold_after_ack_h=1,
        picture_reserve_share=0.01,
        config_sha256="0" * 64,
    )
    Service(setting).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
