"""A whole post, run once headless for all tests that only look at what it left."""

import pytest

from tests.scenarios.rehearsed import Run, rehearse


@pytest.fixture(scope="session")
def post(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twenty travellers, of them each case of the script."""
    return rehearse(tmp_path_factory.mktemp("post") / "out")
