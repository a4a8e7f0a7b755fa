"""Pulling over mutual TLS: a static server stands where the collector's mirror would, with the real certificates."""

import functools
import http.server
import shutil
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import Misuse, Untrusted, UplinkFault
from appliance.formats.note import NOTE_BYTES_MAX
from provisioning.audit.https_source import HttpsSource, auditor_tls
from provisioning.audit.incoming import Incoming
from provisioning.audit.log import logs_of, trust_of
from provisioning.audit.pull import Pulled, pull
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Static files over kept connections, without a journal."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def address(home: Home, data: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(home.ca / "collector.crt", home.ca / "collector.key")
    context.load_verify_locations(home.ca / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(data)))
    server.daemon_threads = True
    server.block_on_close = False  # a kept connection would hold the test
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def mirror(box: Box, data: Path) -> None:
    """Lay the box's log and bodies out as the collector does."""
    shutil.copytree(box.state / "log", data / "log" / box.origin, dirs_exist_ok=True)
    (data / "bodies" / box.origin).mkdir(parents=True, exist_ok=True)
    for body in (box.state / "bodies").iterdir():
        shutil.copy(body, data / "bodies" / box.origin / f"{body.name.split('.')[0]}.age")


def pull_from(home: Home, address: str) -> Pulled:
    roster = read_roster(home)
    log = logs_of(home, roster, None)[0]
    source = HttpsSource(address, log.origin, auditor_tls(home), Incoming(home.incoming(log.origin), address))
    try:
        kept = PulledLog(log, home.pulled_log(log.origin))
        return pull(kept, source, trust_of(roster), lambda _what, _done, _total: None)
    finally:
        source.close()


def test_a_log_comes_whole_over_mutual_tls_and_then_what_is_new(
    home: Home, data: Path, address: str, tmp_path: Path
) -> None:
    box = Box(home, tmp_path / "box")
    assert pull_from(home, address).size == 0  # nothing has arrived yet
    day_at_the_post(box)
    mirror(box, data)
    assert (pull_from(home, address).entries, pull_from(home, address).entries) == (9, 0)
    box.canary()
    box.publish()
    mirror(box, data)
    assert (pull_from(home, address).bodies, pull_from(home, address).problems) == (1, [])


def test_a_mirror_that_lost_the_log_is_a_rollback(home: Home, data: Path, address: str, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "box")
    day_at_the_post(box)
    mirror(box, data)
    pull_from(home, address)
    shutil.rmtree(data / "log")
    with pytest.raises(Untrusted, match=r"rollback: .* has no checkpoint, headquarters has 9 entries"):
        pull_from(home, address)


def test_an_answer_longer_than_a_checkpoint_is_refused(home: Home, data: Path, address: str, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "box")
    (data / "log" / box.origin).mkdir(parents=True)
    (data / "log" / box.origin / "checkpoint").write_bytes(bytes(NOTE_BYTES_MAX + 1))
    with pytest.raises(Untrusted, match="longer than 65536 bytes"):
        pull_from(home, address)


def test_a_collector_of_another_authority_is_refused(home: Home, address: str, tmp_path: Path) -> None:
    stranger = headquarters(tmp_path / "stranger")
    Box(stranger, tmp_path / "box")
    assert address != home.folder.name
    with pytest.raises(UplinkFault, match="TLS refused"):
        pull_from(stranger, address)


def test_no_collector_there_says_so(home: Home, tmp_path: Path) -> None:
    Box(home, tmp_path / "box")
    with pytest.raises(UplinkFault, match=r"does not answer .* is the collector running"):
        pull_from(home, "https://127.0.0.1:9")


def test_an_address_without_tls_is_no_source(home: Home) -> None:
    incoming = Incoming(home.incoming("landlink.example/la-0001.1"), "")
    with pytest.raises(Misuse, match="not an address of the form https"):
        HttpsSource("http://127.0.0.1:80", "landlink.example/la-0001.1", auditor_tls(home), incoming)
