"""What every browser test stands on: Debian's Chromium, a whole post of its own, and the desk in front of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from provisioning.bench.desk_line import DeskLine
from provisioning.bench.post import SAMPLES, Post, prepare
from tests.scenarios.rehearsed import free_port

CHROMIUM = os.environ.get("LANDLINK_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    running = Post(prepare(tmp_path_factory.mktemp("post") / "out"), page_port=free_port())
    try:
        running.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def desk(post: Post) -> Iterator[DeskLine]:
    line = DeskLine(post.folders.desk / "desk.sock")
    yield line
    line.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (set LANDLINK_CHROMIUM)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
