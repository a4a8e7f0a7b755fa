"""What all tests share: where public test data lies."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
