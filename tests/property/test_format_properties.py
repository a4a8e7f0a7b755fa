"""What holds for every input: round trips, total parsers, and that no changed bit passes."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats import cbor, cose, wire
from appliance.formats.age import decrypt, encrypt, parse_identity, parse_recipient
from appliance.formats.age_header import parse_header
from appliance.formats.age_payload import open_payload
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.enrolment import parse_answer, verify_request
from appliance.formats.identity import certify_epoch, verify_epoch_certificate
from appliance.formats.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from appliance.formats.note import open_note, parse_vkey
from appliance.formats.receipt import (
    DeliveryReceipt,
    LogReceipt,
    encode_log_receipt,
    parse_log_receipt,
    sign_receipt,
    verify_log_receipt,
    verify_receipt,
)
from appliance.formats.record import commitment, encode_record, pad, padded_size, parse_record, unpad
from appliance.formats.statement import parse_statement, sign_statement, verify_epoch_start, verify_statement
from appliance.formats.status import UplinkStatus, parse_status
from appliance.formats.tiles import TileNodes, parse_entries, parse_path, read_entries
from appliance.formats.upload import (
    BatchItem,
    LogUpload,
    encode_batch,
    encode_log_upload,
    parse_batch,
    parse_batch_answer,
    parse_have,
    parse_log_upload,
)
from appliance.model import Mode, Priority
from appliance.recorded import Outcome, OutcomeKind, Picture, Record
from tests.formats_samples import (
    EPOCH_KEY,
    EPOCH_PUBLIC,
    EVENT,
    GENERAL,
    IDENTITY_DER,
    LOG_SIGNER,
    NOW,
    ORIGIN,
    RECEIPTS_KEY,
    RECEIPTS_PUBLIC,
    SEALED,
    a_record,
    a_statement,
    an_epoch,
    epoch_start,
    es256,
)
from tests.merkle_nodes import Nodes

# --- samples ----------------------------------------------------------------------------------------------------------

BLOB = encrypt(b"record", [GENERAL.recipient])
LEAF = sign_statement(a_statement(SEALED), epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
EVENT_LEAF = sign_statement(a_statement(EVENT), epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
EPOCH_LEAF = sign_statement(a_statement(epoch_start()), epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
EPOCH = certify_epoch(an_epoch(), identity_der=IDENTITY_DER, sign=es256)
NOTE = sign_checkpoint(Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(LEAF)), [LOG_SIGNER])
LOG_RECEIPT = encode_log_receipt(LogReceipt(index=0, leaf=LEAF, inclusion_proof=(), checkpoint=NOTE))
DELIVERY = sign_receipt(
    DeliveryReceipt(
        origin=ORIGIN,
        index=0,
        sha256=bytes(32),
        size=9,
        received_ms=NOW.wall_ms,
        ledger_position=1,
        previous=None,
        opened_through=0,
    ),
    public=RECEIPTS_PUBLIC,
    sign=RECEIPTS_KEY.sign,
)
RECORD = encode_record(a_record())
BATCH = encode_batch(
    [BatchItem(origin=ORIGIN, index=1, priority=Priority.ALERT, sha256=bytes(32), body=b"body") for _ in range(2)]
)
UPLOAD = encode_log_upload(LogUpload(from_index=0, leaves=(LEAF,), checkpoint=NOTE))
APPEND = wire.encode(wire.Append(record=RECORD, priority=Priority.RECORD))

Read = Callable[[bytes], object]
VERIFIED: dict[str, tuple[bytes, Read]] = {
    "body": (BLOB, lambda data: decrypt(data, GENERAL, plaintext_bytes_max=100)),
    "statement": (LEAF, lambda data: verify_statement(parse_statement(data), EPOCH_PUBLIC)),
    "event": (EVENT_LEAF, lambda data: verify_statement(parse_statement(data), EPOCH_PUBLIC)),
    "epoch start": (EPOCH_LEAF, lambda data: verify_epoch_start(parse_statement(data), IDENTITY_DER)),
    "epoch certificate": (EPOCH, lambda data: verify_epoch_certificate(data, IDENTITY_DER)),
    "checkpoint": (NOTE, lambda data: open_checkpoint(data, LOG_SIGNER.verifier)),
    "log receipt": (
        LOG_RECEIPT,
        lambda data: verify_log_receipt(parse_log_receipt(data), LOG_SIGNER.verifier, SEALED.commitment),
    ),
    "delivery receipt": (DELIVERY, lambda data: verify_receipt(data, RECEIPTS_PUBLIC)),
}


def as_text(parse: Callable[[str], object]) -> Read:
    return lambda data: parse(data.decode("utf-8", "replace"))


PARSERS: dict[str, tuple[bytes, Read]] = VERIFIED | {
    "record": (RECORD, parse_record),
    "padding": (pad(b"record"), unpad),
    "age header": (BLOB, parse_header),
    "age payload": (bytes(40), lambda data: open_payload(data, bytes(16), plaintext_bytes_max=100)),
    "recipient": (GENERAL.recipient.encode().encode(), as_text(parse_recipient)),
    "identity": (GENERAL.encode().encode(), as_text(parse_identity)),
    "COSE": (LEAF, cose.parse_sign1),
    "P-256 key": (IDENTITY_DER, cose.load_p256),
    "note": (NOTE, lambda data: open_note(data, [LOG_SIGNER.verifier])),
    "vkey": (LOG_SIGNER.verifier.vkey().encode(), as_text(parse_vkey)),
    "checkpoint text": (NOTE.partition(b"\n\n")[0] + b"\n", as_text(parse_checkpoint)),
    "tile path": (b"tile/0/x001/x234/067.p/5", as_text(parse_path)),
    "entry bundle": (b"\x00\x01a\x00\x02bc", lambda data: parse_entries(data, 2)),
    "request": (EPOCH, verify_request),
    "answer": (RECORD, parse_answer),
    "batch": (BATCH, parse_batch),
    "batch answer": (BATCH, parse_batch_answer),
    "log upload": (UPLOAD, parse_log_upload),
    "have": (UPLOAD, parse_have),
    "booth message": (APPEND, wire.parse_booth_request),
    "reply": (APPEND, wire.parse_reply),
    "status": (b'{"connected":true,"not_sent":3}', lambda data: parse_status(data, UplinkStatus)),
}


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """The original with a few bytes changed, cut out, repeated or put in."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 8)))
        data[start:end] = draw(st.one_of(st.binary(max_size=8), st.just(bytes(data[start:end]) * 2)))
    return bytes(data)


# --- total parsers, no flipped bit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", PARSERS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_parser_raises_malformed_or_untrusted_and_nothing_else(what: str, data: st.DataObject) -> None:
    original, read = PARSERS[what]
    with contextlib.suppress(Malformed, Untrusted):
        read(data.draw(st.one_of(st.binary(max_size=300), mutated(original))))


@pytest.mark.parametrize("what", VERIFIED)
@settings(max_examples=150)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(what: str, data: st.DataObject) -> None:
    original, read = VERIFIED[what]
    read(original)
    bit = data.draw(st.integers(0, 8 * len(original) - 1))
    flipped = bytearray(original)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Malformed, Untrusted)):
        read(bytes(flipped))


@pytest.mark.parametrize("what", VERIFIED)
@settings(max_examples=30)
@given(data=st.data())
def test_anything_cut_off_or_added_is_noticed(what: str, data: st.DataObject) -> None:
    original, read = VERIFIED[what]
    cut = data.draw(st.integers(0, len(original) - 1))
    for changed in (original[:cut], original + data.draw(st.binary(min_size=1, max_size=40))):
        with pytest.raises((Malformed, Untrusted)):
            read(changed)


# --- CBOR and records -------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(value=values)
def test_cbor_decodes_what_it_encodes_to_the_same_bytes(value: object) -> None:
    data = cbor.encode(value)
    decoded = cbor.decode(data, what="value", bytes_max=100_000)
    assert decoded == value
    assert cbor.encode(decoded) == data


@given(data=st.binary(max_size=60))
def test_cbor_that_is_accepted_has_no_second_spelling(data: bytes) -> None:
    try:
        value = cbor.decode(data, what="value", bytes_max=60)
    except Malformed:
        return
    assert cbor.encode(value) == data


@st.composite
def disturbed(draw: st.DrawFn, tree: object) -> object:
    """The same tree of builtins with one value, somewhere in it, replaced by another."""
    if isinstance(tree, dict) and tree and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(tree)))
        return {**tree, key: draw(disturbed(tree[key]))}
    if isinstance(tree, list) and tree and draw(st.integers(0, 9)):
        index = draw(st.integers(0, len(tree) - 1))
        return [*tree[:index], draw(disturbed(tree[index])), *tree[index + 1 :]]
    return draw(values)


@pytest.mark.parametrize("what", ["record", "log receipt", "log upload", "booth message"])
@settings(max_examples=100)
@given(data=st.data())
def test_a_message_with_a_wrong_field_is_malformed_and_nothing_else(what: str, data: st.DataObject) -> None:
    original, _ = PARSERS[what]
    read: Read = parse_log_receipt if what == "log receipt" else PARSERS[what][1]
    tree = cbor.decode(original, what=what, bytes_max=100_000)
    with contextlib.suppress(Malformed):
        read(cbor.encode(data.draw(disturbed(tree))))


words = st.text(max_size=64)
identifiers = st.binary(min_size=16, max_size=16).map(bytes.hex)
bodies = st.one_of(
    st.builds(Outcome, of=identifiers, outcome=st.sampled_from(OutcomeKind), implied=st.booleans(), note=st.text()),
    st.builds(
        Picture,
        of=identifiers,
        media_type=st.just("image/jpeg"),
        content=st.binary(max_size=2_000),
        captured=st.dictionaries(words, st.text(max_size=256), max_size=4),
    ),
)
records = st.builds(
    Record,
    schema=st.just(1),
    origin=st.just(ORIGIN),
    record_id=identifiers,
    mode=st.sampled_from(Mode),
    salt=st.binary(min_size=32, max_size=32),
    at=st.just(NOW),
    crossing=st.none(),
    person=st.none(),
    body=bodies,
    pictures=st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
)


@settings(max_examples=50)
@given(record=records)
def test_a_record_sealed_and_opened_is_the_record_that_was_committed_to(record: Record) -> None:
    encoded = encode_record(record)
    blob = encrypt(pad(encoded), [GENERAL.recipient])
    opened = unpad(decrypt(blob, GENERAL, plaintext_bytes_max=padded_size(len(encoded) + 4)))
    assert parse_record(opened) == record
    assert commitment(opened) == commitment(encoded)


# --- padding ----------------------------------------------------------------------------------------------------------


@given(content=st.binary(max_size=20_000))
def test_padding_comes_off_again(content: bytes) -> None:
    assert unpad(pad(content)) == content
    assert len(pad(content)) == padded_size(len(content) + 4)


@given(size=st.integers(1, 2**24))
def test_a_padded_size_is_a_step_at_least_and_an_eighth_more_at_most(size: int) -> None:
    padded = padded_size(size)
    assert padded % 4_096 == 0
    assert 0 <= padded - size < max(4_096, size / 8 + 1) or padded == 8_192
    assert padded_size(padded) == padded


@given(size=st.integers(1, 8_188))
def test_records_of_up_to_8_kib_have_one_length(size: int) -> None:
    assert len(encrypt(pad(bytes(size)), [GENERAL.recipient])) == len(encrypt(pad(b""), [GENERAL.recipient]))


def test_all_records_up_to_4_mib_have_few_lengths() -> None:
    sizes, size = set[int](), 1
    while size <= 4 * 1024 * 1024:
        sizes.add(padded_size(size))
        size = padded_size(size) + 1
    assert len(sizes) < 200


# --- the log ----------------------------------------------------------------------------------------------------------


def tree(size: int) -> Nodes:
    nodes = Nodes()
    for number in range(size):
        nodes.append(leaf_hash(number.to_bytes(4, "big")))
    return nodes


NODES = tree(700)


@given(size=st.integers(1, 700), data=st.data())
def test_every_leaf_has_a_proof_that_holds_there_and_nowhere_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_hash(size, NODES), inclusion_proof(index, size, NODES)
    verify_inclusion(NODES(0, index), index=index, size=size, root=root, proof=proof)
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != index)) if size > 1 else 1
    with pytest.raises((Malformed, Untrusted)):
        verify_inclusion(NODES(0, index), index=elsewhere, size=size, root=root, proof=proof)


@given(sizes=st.lists(st.integers(1, 700), min_size=2, max_size=2).map(sorted), data=st.data())
def test_every_tree_is_a_beginning_of_every_larger_one(sizes: list[int], data: st.DataObject) -> None:
    old_size, size = sizes
    old_root, root = root_hash(old_size, NODES), root_hash(size, NODES)
    proof = list(consistency_proof(old_size, size, NODES))
    verify_consistency(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)
    if proof:
        changed = data.draw(st.integers(0, len(proof) - 1))
        proof[changed] = bytes(32)
        with pytest.raises(Untrusted):
            verify_consistency(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)


@given(entries=st.lists(st.binary(max_size=40), max_size=40), data=st.data())
def test_a_log_published_in_any_steps_reads_back_whole(entries: list[bytes], data: st.DataObject) -> None:
    edge, frontier, files = Edge(), Frontier(), dict[str, bytes]()
    for entry in entries:
        assert edge.append(entry) == frontier.append(leaf_hash(entry))
        if data.draw(st.booleans()):
            files.update(edge.publish())
    files.update(edge.publish())
    size = len(entries)
    assert list(read_entries(size, files.__getitem__)) == entries
    assert root_hash(size, TileNodes(size, files.__getitem__)) == edge.root() == frontier.root()
    assert Edge.resume(size, files.__getitem__).root() == edge.root()


@given(
    items=st.lists(
        st.builds(
            BatchItem,
            origin=st.just(ORIGIN),
            index=st.integers(0, 2**40),
            priority=st.sampled_from(Priority),
            sha256=st.binary(min_size=32, max_size=32),
            body=st.binary(max_size=300),
        ),
        max_size=8,
    )
)
def test_a_batch_reads_back_whole(items: list[BatchItem]) -> None:
    assert parse_batch(encode_batch(items)) == tuple(items)
