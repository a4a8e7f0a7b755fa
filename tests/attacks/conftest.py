"""A headquarters with a collector, and a post that an auditor has looked at before the attack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.audited_post import Post
from tests.delivery_post import Headquarters


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
