"""Small bodies at the collector: receipts, refusals by name, and what headquarters says that it has."""

import hashlib
import json
import os

from appliance.formats.receipt import receipt_digest
from appliance.formats.upload import BatchItem
from appliance.model import Priority
from appliance.uplink.collector import Collector
from tests.collector_bed import alarms, batch_item, upload_of
from tests.delivery_post import DOMAIN, Box, Headquarters


def test_receipts_are_signed_chained_and_the_same_when_asked_again(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaves = [box.seal(os.urandom(2_000)) for _ in range(10)]
    client.send_log(upload_of(box))
    results = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    receipts = [headquarters.receipt(result.receipt) for result in results]
    assert [receipt.index for receipt in receipts] == leaves
    for earlier, later, receipt in zip(results, results[1:], receipts[1:], strict=False):
        assert receipt.previous == receipt_digest(earlier.receipt)
        assert later.status == 200
    again = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    asked = client.send_batch([batch_item(box, leaf, body=b"") for leaf in leaves])
    assert [r.receipt for r in results] == [r.receipt for r in again] == [r.receipt for r in asked]


def test_one_bad_item_is_refused_by_name_and_blocks_nothing(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    good, flipped, conflicting, silent = (box.seal(os.urandom(2_000)) for _ in range(4))
    client.send_log(upload_of(box))
    damaged = bytearray(box.bodies[flipped])
    damaged[777] ^= 0x10
    other = os.urandom(2_000)
    early = box.seal(b"its statement is not up yet")
    results = client.send_batch(
        [
            batch_item(box, flipped, body=bytes(damaged)),
            batch_item(box, conflicting, body=other, sha256=hashlib.sha256(other).digest()),
            batch_item(box, silent, body=b""),
            batch_item(box, early),
            BatchItem(origin=f"{DOMAIN}/zz-9999.1", index=1, priority=Priority.RECORD, sha256=bytes(32), body=b"x"),
            BatchItem(origin=box.origin, index=0, priority=Priority.RECORD, sha256=bytes(32), body=b"x"),
            batch_item(box, good),
        ]
    )
    assert [result.status for result in results] == [422, 409, 404, 425, 403, 400, 200]
    assert "damaged" in results[0].why
    assert "conflict" in results[1].why
    assert not headquarters.body(box, flipped).exists()
    ((_, leaf, sha256, _),) = alarms(headquarters, "conflict", box.origin)
    assert (leaf, sha256) == (conflicting, hashlib.sha256(other).digest())
    (mended,) = client.send_batch([batch_item(box, flipped)])
    assert mended.status == 200
    assert headquarters.body(box, flipped).read_bytes() == box.bodies[flipped]


def test_what_headquarters_has_is_told_with_its_gaps(box: Box, client: Collector) -> None:
    leaves = [box.seal(os.urandom(100)) for _ in range(8)]  # 1 to 8; 0 starts the epoch
    client.send_log(upload_of(box))
    client.send_batch([batch_item(box, leaf) for leaf in (2, 3, 7)])
    have = client.have()
    assert (have.size, have.high_water, have.gaps) == (len(leaves) + 1, 7, ((0, 1), (4, 6)))


def test_opened_through_is_what_headquarters_says_when_it_signs(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    first, second = box.seal(b"one"), box.seal(b"two")
    client.send_log(upload_of(box))
    (before,) = client.send_batch([batch_item(box, first)])
    opened = headquarters.home.opened_file(box.origin)
    opened.parent.mkdir(exist_ok=True)
    opened.write_text(json.dumps({"origin": box.origin, "opened_through": 1, "at_ms": 1}))
    (after,) = client.send_batch([batch_item(box, second)])
    assert headquarters.receipt(before.receipt).opened_through == -1
    assert headquarters.receipt(after.receipt).opened_through == 1
