"""One collector a file of tests, a box of its own for each test: real process, real TLS 1.3 with both certificates."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.model import Origin
from appliance.uplink.collector import Collector
from appliance.uplink.link import Link, tls_context
from tests.collector_bed import HOST, SERIALS, Links
from tests.delivery_post import Box, Headquarters


@pytest.fixture(scope="module")
def headquarters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    made = Headquarters(tmp_path_factory.mktemp("hq"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, headquarters: Headquarters) -> Box:
    return Box(tmp_path / "b", headquarters, next(SERIALS))


@pytest.fixture
def links() -> Iterator[Callable[[Box], Link]]:
    """Links of a box to its headquarters; closed with the test."""
    made: list[Link] = []

    def link(box: Box) -> Link:
        context = tls_context(box.state / "uplink")
        made.append(Link(HOST, box.headquarters.port, context, rate_bytes_per_s=1e6))
        return made[-1]

    yield link
    for each in made:
        each.close()


@pytest.fixture
def client(box: Box, links: Links) -> Collector:
    return Collector(links(box), Origin(box.origin))
