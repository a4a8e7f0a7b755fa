"""What all tests share: where public test data lies; a headquarters, and a box after a day at its post."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # most tests need neither, and importing them takes a second
    from provisioning.authority.home import Home
    from tests.scenarios.made_headquarters import Box

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: products this small only lose by being shared

settings.register_profile("landlink", deadline=None)  # a busy machine is no finding; speed is measured elsewhere
settings.load_profile("landlink")

SHARED_DATA = Path(os.environ.get("LANDLINK_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public test data of others; a test that needs it skips, visibly, where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no public test data at {SHARED_DATA} (set LANDLINK_TEST_DATA)")
    return SHARED_DATA


@pytest.fixture
def home(tmp_path: Path) -> "Home":
    """A headquarters of its own for each test."""
    from tests.scenarios.made_headquarters import headquarters

    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(home: "Home", tmp_path: Path) -> "Box":
    """A box with nine entries, published."""
    from tests.scenarios.made_headquarters import Box, day_at_the_post

    made = Box(home, tmp_path / "box")
    day_at_the_post(made)
    return made
