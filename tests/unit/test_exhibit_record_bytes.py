"""A record of a box whose software knew fewer fields is evidence byte for byte, whatever this software would write."""

import json

from appliance.formats import cbor
from appliance.formats.record import encode_record, parse_record
from appliance.formats.statement import Sealed, Statement
from appliance.model import Mode
from provisioning.audit.opened.opening import Opened
from provisioning.exhibit.entry import RECORD, RECORD_JSON, record_json, record_pieces, whole
from tests.screen_world import instant
from tests.unit.test_audit_find import document, opened, screened

LATER = "camera"
"""A field of screenings that the first boxes did not write."""


def test_the_exhibit_has_the_very_bytes_that_were_committed_to() -> None:
    today = encode_record(opened(3, screened(document())).record)
    said = cbor.decode(today, what="record", bytes_max=1 << 20)
    assert isinstance(said, dict)
    older = cbor.encode({**said, "body": {name: value for name, value in said["body"].items() if name != LATER}})
    record = parse_record(older)
    assert encode_record(record) == today != older, "writing it again would give other bytes"
    statement = Statement(
        origin=record.origin,
        epoch=0,
        mode=Mode.LIVE,
        at=instant(),
        recipients_version=1,
        cosigned=None,
        kind=Sealed(commitment=bytes(32), blob_sha256=bytes(32), blob_bytes=1),
    )
    pieces = record_pieces(Opened(index=3, statement=statement, encoded=older, record=record), b"sealed", whole)
    assert pieces[RECORD] == older
    assert LATER not in json.loads(pieces[RECORD_JSON])["body"]
    assert record_json(older)["record_id"] == record.record_id
