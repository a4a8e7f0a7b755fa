"""The fingerprint for the paper register: by hand, back again, and no slip of the pen passes for it."""

import hashlib
import itertools

import pytest

from appliance.errors import Malformed
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.fingerprint import log_fingerprint, read_fingerprint

TREE = Checkpoint(origin="landlink.example/la-0001.1", size=812, root=bytes(range(32)))
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WRITTEN = log_fingerprint(TREE)


def test_it_is_the_first_75_bits_of_the_hash_of_domain_and_tree_head() -> None:
    hashed = hashlib.sha256(b"landlink.example/fingerprint/v1\x00" + TREE.text().encode()).digest()
    bits = f"{int.from_bytes(hashed, 'big'):0256b}"
    symbols = "".join(CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, 75, 5))
    assert WRITTEN.replace("-", "")[:15] == symbols
    assert [len(group) for group in WRITTEN.split("-")] == [4, 4, 4, 4]


def test_another_size_root_or_log_has_another() -> None:
    others = {
        log_fingerprint(Checkpoint(origin=origin, size=size, root=root))
        for origin, size, root in itertools.product(
            (TREE.origin, "landlink.example/la-0001.2"), (812, 813), (TREE.root, bytes(32))
        )
    }
    assert len(others) == 8


@pytest.mark.parametrize("write", [str.lower, lambda text: text.replace("-", " "), lambda text: text.replace("-", "")])
def test_it_is_read_however_a_hand_writes_it(write: object) -> None:
    assert callable(write)
    assert read_fingerprint(write(WRITTEN)) == WRITTEN
    assert read_fingerprint(WRITTEN.replace("0", "O").replace("1", "I")) == WRITTEN


def test_every_slip_of_one_character_and_every_swap_of_two_neighbours_is_noticed() -> None:
    code = WRITTEN.replace("-", "")
    slips = {code[:at] + other + code[at + 1 :] for at in range(16) for other in CROCKFORD}
    slips |= {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(15)}
    for slip in slips - {code}:
        with pytest.raises(Malformed):
            read_fingerprint(slip)


@pytest.mark.parametrize("text", ["", "ABCD", WRITTEN + "0", "U" * 16, "x" * 10_000, "É" * 16])
def test_what_is_no_fingerprint_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_fingerprint(text)
