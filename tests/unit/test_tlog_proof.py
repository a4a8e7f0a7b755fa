"""C2SP tlog-proof: what is written is read, the layout is the specification's, and nothing else is one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed
from provisioning.exhibit.tlog_proof import PROOF_BYTES_MAX, TlogProof, encode_proof, parse_proof

NOTE = b"example.com/log\n7\n" + base64.b64encode(bytes(32)) + b"\n\n\xe2\x80\x94 example.com/log AAAA\n"
HASH = bytes(range(32))
LINE = base64.b64encode(HASH)


def test_the_layout_is_the_specifications() -> None:
    expected = b"c2sp.org/tlog-proof@v1\nindex 5\n" + LINE + b"\n" + LINE + b"\n\n" + NOTE
    assert encode_proof(5, [HASH, HASH], NOTE) == expected
    assert encode_proof(0, [], NOTE) == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + NOTE


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_is_written_is_read(index: int, hashes: list[bytes]) -> None:
    expected = TlogProof(index=index, hashes=tuple(hashes), checkpoint=NOTE)
    assert parse_proof(encode_proof(index, hashes, NOTE)) == expected


@given(st.binary(max_size=300))
def test_any_bytes_give_a_proof_or_are_malformed(data: bytes) -> None:
    for candidate in (data, b"c2sp.org/tlog-proof@v1\n" + data, b"c2sp.org/tlog-proof@v1\nindex 3\n" + data):
        try:
            proof = parse_proof(candidate)
        except Malformed:
            continue
        assert encode_proof(proof.index, proof.hashes, proof.checkpoint) == candidate


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"c2sp.org/tlog-proof@v2\nindex 5\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 5\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 05\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex -1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex \xd9\xa5\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\n" + LINE[:-2] + b"\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\n" + base64.b64encode(HASH[:31]) + b"\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\n" + LINE[:-2] + b"9=\n\n" + NOTE,  # the same hash, spelled otherwise
        b"c2sp.org/tlog-proof@v1\nindex 5\n" + (LINE + b"\n") * 65 + b"\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\n\n" + b"x" * PROOF_BYTES_MAX,
    ],
)
def test_what_is_no_proof_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed, match="tlog-proof"):
        parse_proof(data)
