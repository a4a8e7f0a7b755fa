"""Last byte to lamp while releases are switched as fast as the box takes them, beside the same post left alone."""

import os
import tempfile
import time
from itertools import islice
from pathlib import Path

from provisioning.bench.headless import Laid
from tests.scenarios.post_at_work import post_at_work, quiet_day
from tests.scenarios.switching import Switcher, make_releases, quantile_ms

RELEASES = int(os.environ.get("LANDLINK_BENCH_RELEASES", "16"))
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def main() -> None:
    """Run a post, first without and then with switches, and print both."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder, post_at_work(Path(folder) / "out") as post:
        people = iter(quiet_day(7))
        post.bring(*islice(people, 20))
        switcher = Switcher(box=post.box, releases=make_releases(post.post.folders.hq, Path(folder) / "made", RELEASES))
        started = time.monotonic()
        switcher.start()
        during = post.bring_until(people, lambda _: switcher.done)
        took_s = time.monotonic() - started
        switcher.stop()
        alone = post.bring(*islice(people, len(during)))
        recorded = {line["raw_mrz"] for line in post.at_headquarters()}
    without, with_switches = times(alone), times(during)
    for name, took in (
        ("left alone", without),
        (f"{len(switcher.switched)} switches in {took_s:.0f} s", with_switches),
    ):
        p50, p99 = (quantile_ms(took, share) for share in (0.5, 0.99))
        print(f"{name:24}{len(took)} travellers   p50 {p50:.1f} ms   p99 {p99:.1f} ms")
    print(f"ratio of p99            {quantile_ms(with_switches, 0.99) / quantile_ms(without, 0.99):.2f}")
    print(f"without a record        {sum(one.mrz not in recorded for one in (*alone, *during))}")


def times(laid: list[Laid]) -> list[int]:
    """Nanoseconds from the last byte to the lamp."""
    return [one.edge_ns - one.sent_ns for one in laid]
