"""box.toml says which hardware is fitted; wiring makes it."""

from pathlib import Path

import pytest

from appliance.config import parse_config
from appliance.errors import ConfigError
from appliance.hardware_wiring import camera_of, codec_of
from drivers.api import Frame
from drivers.scanner.elyctis import ElyctisCodec
from drivers.scanner.generic import FramedCodec, GenericCodec
from drivers.scanner.honeywell import HoneywellCodec
from drivers.scanner.rte import RteCodec
from drivers.scanner.wedge import WedgeCodec
from drivers.simulators.camera import SimulatedCamera
from drivers.simulators.scanners import RteDevice

BOX = """
[box]
serial = "LA-0001"
domain = "landlink.example"
[post]
name = "Test"
duty_telephone = "1"
[recorder]
booth_uid = 1
uplink_uid = 2
releases_uid = 3
[uplink]
host = "localhost"
"""


@pytest.mark.parametrize(
    ("scanner", "codec"),
    [
        ('dialect = "elyctis"', ElyctisCodec),
        ('dialect = "honeywell"', HoneywellCodec),
        ('dialect = "rte"', RteCodec),
        ('dialect = "wedge"', WedgeCodec),
        ('dialect = "generic"', GenericCodec),
        ('dialect = "generic"\nframing = "stx-etx"\nlrc = true', FramedCodec),
    ],
)
def test_the_dialect_of_the_configuration_is_spoken(scanner: str, codec: type) -> None:
    config = parse_config(f'{BOX}\n[scanner]\nport = "/dev/null"\n{scanner}\n'.encode())
    assert type(codec_of(config)) is codec


def test_the_check_byte_is_looked_at_when_the_configuration_says_so() -> None:
    text = f'{BOX}\n[scanner]\nport = "/dev/null"\ndialect = "generic"\nframing = "stx-etx"\nlrc = true\n'
    codec = codec_of(parse_config(text.encode()))
    assert codec.receive(b"\x02AB\x03") == []
    assert len(codec.receive(b"\x00")) == 1


@pytest.mark.parametrize(
    ("setting", "taken"), [("", 1), ('rte_check = "sum"', 0), ('rte_length = "all"', 0), ("rte_flag = 7", 0)]
)
def test_what_is_set_of_rte_must_hold(setting: str, taken: int) -> None:
    text = f'{BOX}\n[scanner]\nport = "/dev/null"\ndialect = "rte"\n{setting}\n'
    events = codec_of(parse_config(text.encode())).receive(RteDevice().report(["A" * 30] * 3))
    assert sum(isinstance(event, Frame) for event in events) == taken


def test_no_camera_is_none_and_a_simulated_one_asks_the_desk(tmp_path: Path) -> None:
    scanner = '[scanner]\nport = "/dev/null"\ndialect = "elyctis"\n'
    assert camera_of(parse_config(f"{BOX}\n{scanner}".encode())) is None
    simulated = f'[camera]\nkind = "simulated"\nsocket = "{tmp_path}/c"\n'
    assert isinstance(camera_of(parse_config(f"{BOX}\n{scanner}\n{simulated}".encode())), SimulatedCamera)


def test_an_unknown_dialect_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"scanner\.dialect"):
        parse_config(f'{BOX}\n[scanner]\nport = "/dev/null"\ndialect = "desko"\n'.encode())
