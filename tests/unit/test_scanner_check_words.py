"""What `check --scanner` tells a technician to write into box.toml holds wherever the booth is started from."""

from pathlib import Path

import pytest

from appliance.config import ScannerConfig
from appliance.scan.check import agrees, in_words
from drivers.api import Found


def test_a_port_that_was_named_from_its_own_folder_is_told_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = Found(settings={"dialect": "elyctis"}, answer="a scanner answers as elyctis")
    said = in_words(found, Path("usb-scanner"), ScannerConfig(dialect="elyctis"))
    assert f'port = "{tmp_path / "usb-scanner"}"' in said.splitlines()
    assert agrees(found, Path("usb-scanner"), ScannerConfig(dialect="elyctis", port=str(tmp_path / "usb-scanner")))
