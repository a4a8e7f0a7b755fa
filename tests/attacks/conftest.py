"""A headquarters and an enrolled box for attacks on its log; what an auditor did before the attack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.authority.home import Home
from tests.attacks.audited_post import Post
from tests.delivery_post import Headquarters
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


@pytest.fixture(scope="session")
def collecting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    """A headquarters whose collector runs; each test enrols a box of its own."""
    made = Headquarters(tmp_path_factory.mktemp("hq"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def post(tmp_path: Path, collecting: Headquarters) -> Post:
    return Post(tmp_path, collecting)
