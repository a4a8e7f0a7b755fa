"""The collector as a process: a full disk, its end, its port."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import UplinkFault
from appliance.model import Origin
from appliance.uplink.collector import Collector
from appliance.uplink.link import tls_context
from tests.collector_bed import HOST, Links, batch_item, upload_of
from tests.delivery_post import BIN, Box, Headquarters


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.root
def test_a_full_disk_gives_no_receipt_and_takes_bodies_again_when_there_is_room(
    tmp_path: Path, small_disk: Path, links: Links
) -> None:
    headquarters = Headquarters(tmp_path)
    headquarters.data = small_disk
    headquarters.start()
    box = Box(tmp_path / "b", headquarters)
    client = Collector(links(box), Origin(box.origin))
    leaves = [box.seal(os.urandom(50_000)) for _ in range(4)]
    client.send_log(upload_of(box))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while filling.write(bytes(4_096)):
            pass
    with pytest.raises(UplinkFault):
        client.send_batch([batch_item(box, leaf) for leaf in leaves])
    filler.unlink()
    collector = headquarters.collector
    assert collector is not None
    if collector.popen.poll() is not None:  # storage that failed ends it; its supervisor starts it anew
        assert collector.popen.returncode in (73, 74)
        headquarters.start()
    results = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    assert [result.status for result in results] == [200] * 4
    assert [headquarters.body(box, leaf).read_bytes() for leaf in leaves] == [box.bodies[leaf] for leaf in leaves]
    headquarters.stop()


def test_the_collector_ends_within_seconds_although_a_connection_hangs(
    tmp_path: Path,
) -> None:
    headquarters = Headquarters(tmp_path)
    process = headquarters.start()
    box = Box(tmp_path / "b", headquarters)
    context = tls_context(box.state / "uplink")
    with socket.create_connection((HOST, headquarters.port)) as plain:
        connection = context.wrap_socket(plain, server_hostname=HOST)
        connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        process.popen.terminate()
        process.popen.wait(10)
        connection.close()
    lines = process.said().splitlines()
    assert len([line for line in lines if "listening" in line]) == 1


def test_a_port_in_use_is_named_and_the_exit_code_is_the_configurations(headquarters: Headquarters) -> None:
    done = subprocess.run(
        [
            str(BIN / "landlink-hq"),
            "--home",
            str(headquarters.home_folder),
            "collect",
            "--data",
            str(headquarters.folder / "second"),
            "--listen",
            f"127.0.0.1:{headquarters.port}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert f"--listen 127.0.0.1:{headquarters.port}" in done.stderr
