"""A headquarters and an enrolled box for attacks on its log; what an auditor did before the attack."""

from pathlib import Path

import pytest

from provisioning.authority.home import Home
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(home: Home, tmp_path: Path) -> Box:
    """A box with nine entries, published."""
    made = Box(home, tmp_path / "box")
    day_at_the_post(made)
    return made
