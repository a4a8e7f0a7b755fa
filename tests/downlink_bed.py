"""What tests of the downlink say at headquarters and open at the box."""

import time
from pathlib import Path

from appliance.formats.age import parse_identity
from appliance.formats.downlink import CaseAnswer, Downlink, Message, box_name, open_downlink, verify_downlink
from appliance.formats.voice import Verdict
from provisioning.authority.downlink import Down
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster

RECORD = "0123456789abcdef" * 2


def case_answer(words: str = "Documents compared. It is the listed person.", of: str = RECORD) -> CaseAnswer:
    return CaseAnswer(of=of, verdict=Verdict.CONFIRMED, words=words, by="Duty desk 1")


def down_of(home: Home, serial: str) -> Down:
    box = read_roster(home).box(serial)
    assert box is not None
    return Down(home, box)


def say(home: Home, serial: str, message: Message) -> Path:
    """Say it at headquarters; the sealed file."""
    down = down_of(home, serial)
    with down.alone():
        return down.say(message, at_ms=time.time_ns() // 1_000_000)


def opened(home: Home, state: Path, serial: str, sealed: bytes) -> Downlink:
    """What the box of this state folder reads in a sealed message, verified by headquarters' roster."""
    identity = parse_identity((state / "recorder" / "age.identity").read_text().strip())
    roster = read_roster(home)
    return verify_downlink(
        open_downlink(sealed, identity),
        keys_of=lambda role: [key.public for key in roster.keys_of(role)],
        box=box_name(home.settings.domain, serial),
    )
