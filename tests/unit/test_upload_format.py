"""What travels between uplink and collector, and the messages between the box's own processes."""

import msgspec
import pytest

from appliance.errors import Malformed
from appliance.formats import cbor, wire
from appliance.formats.status import UplinkStatus, encode_status, parse_status
from appliance.formats.upload import (
    BATCH_BYTES_MAX,
    BODY_BYTES_MAX,
    ITEMS_MAX,
    LEAVES_MAX,
    LOG_UPLOAD_BYTES_MAX,
    BatchItem,
    BatchResult,
    Have,
    LogUpload,
    encode_batch,
    encode_batch_answer,
    encode_have,
    encode_log_upload,
    parse_batch,
    parse_batch_answer,
    parse_have,
    parse_log_upload,
)
from appliance.model import Priority
from tests.formats_samples import ORIGIN

ITEM = BatchItem(origin=ORIGIN, index=7, priority=Priority.RECORD, sha256=b"\xb1" * 32, body=b"sealed")
RESULT = BatchResult(origin=ORIGIN, index=7, status=200, receipt=b"receipt")
UPLOAD = LogUpload(from_index=3, leaves=(b"a", b"b"), checkpoint=b"note", proof=(b"\x01" * 32,))


def test_batches_answers_logs_and_haves_round_trip() -> None:
    items = (ITEM, msgspec.structs.replace(ITEM, index=8, body=b""))
    assert parse_batch(encode_batch(items)) == items
    results = (RESULT, BatchResult(origin=ORIGIN, index=8, status=422, why="another hash"))
    assert parse_batch_answer(encode_batch_answer(results)) == results
    assert parse_log_upload(encode_log_upload(UPLOAD)) == UPLOAD
    have = Have(size=9, high_water=7, gaps=((0, 0), (3, 5)), checkpoint=b"note")
    assert parse_have(encode_have(have)) == have


def test_an_item_is_its_length_in_four_bytes_and_cbor() -> None:
    framed = encode_batch([ITEM])
    assert int.from_bytes(framed[:4], "big") == len(framed) - 4
    assert framed[4] == 0xA5  # a map of five
    assert parse_batch(b"") == ()


def test_the_largest_batch_fits_its_bound_and_one_more_does_not() -> None:
    largest = msgspec.structs.replace(ITEM, body=bytes(BODY_BYTES_MAX))
    assert len(parse_batch(encode_batch([largest] * 4))) == 4
    assert len(encode_batch([largest] * 5)) > BATCH_BYTES_MAX
    with pytest.raises(Malformed, match="at most"):
        parse_batch(encode_batch([largest] * 5))


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"\x00\x00\x00\x01",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        encode_batch([ITEM])[:-1],
        encode_batch([ITEM]) + b"\x00",
        encode_batch([msgspec.structs.replace(ITEM, body=bytes(BODY_BYTES_MAX + 1))]),
        encode_batch([msgspec.structs.replace(ITEM, origin="nobody")]),
        encode_batch([ITEM] * (ITEMS_MAX + 1)),
    ],
)
def test_a_batch_that_is_cut_off_or_out_of_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_batch(data)


def test_a_log_upload_above_its_bounds_is_refused() -> None:
    for upload in (
        msgspec.structs.replace(UPLOAD, leaves=(b"a",) * (LEAVES_MAX + 1)),
        msgspec.structs.replace(UPLOAD, leaves=(b"",)),
        msgspec.structs.replace(UPLOAD, proof=(b"\x01" * 31,)),
    ):
        with pytest.raises(Malformed):
            parse_log_upload(encode_log_upload(upload))
    with pytest.raises(Malformed, match="at most"):
        parse_log_upload(bytes(LOG_UPLOAD_BYTES_MAX + 1))


# --- messages and status ----------------------------------------------------------------------------------------------


def test_a_role_gets_its_own_verbs_alone() -> None:
    asked = wire.encode(wire.Switched(version=3))
    assert wire.parse_releases_request(asked) == wire.Switched(version=3)
    for parse_other in (wire.parse_booth_request, wire.parse_uplink_request, wire.parse_reply):
        with pytest.raises(Malformed, match="Value not allowed"):
            parse_other(asked)


def test_a_message_above_64_kib_is_refused_before_it_is_read() -> None:
    long = wire.encode(wire.Append(record=bytes(wire.MESSAGE_BYTES_MAX), priority=Priority.RECORD))
    with pytest.raises(Malformed, match="at most 65536"):
        wire.parse_booth_request(long)


def test_an_error_about_a_message_holds_nothing_of_it() -> None:
    fields = {"event": "SOUKSAVANH", "fields": {"SOUKSAVANH": 1}, "type": "event"}
    with pytest.raises(Malformed) as refused:
        wire.parse_booth_request(cbor.encode(fields))
    assert "SOUKSAVANH" not in str(refused.value)


def test_a_status_file_round_trips_and_its_errors_hold_nothing_of_it() -> None:
    status = UplinkStatus(connected=False, not_sent=12, why="no link")
    assert parse_status(encode_status(status), UplinkStatus) == status
    for text in (b'{"connected":"SOUKSAVANH"}', b'{"SOUKSAVANH":1}', b"SOUKSAVANH", b"\xff", b"{", b" " * 20_000):
        with pytest.raises(Malformed) as refused:
            parse_status(text, UplinkStatus)
        assert "SOUKSAVANH" not in str(refused.value)
