"""Merkle trees: RFC 6962's reference roots, the proof cases of transparency-dev, and growth."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peaks_of,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.merkle_nodes import Nodes

ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [  # of the first 1, 2, ... 8 entries, as Certificate Transparency's reference implementation publishes them
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NOT_32_BYTES = "sizes-are-equal-one-and-proof-is-empty.json"  # its roots are words; ours are hashes or refused


def unbase64(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_roots_are_those_of_the_reference_implementation() -> None:
    frontier, nodes = Frontier(), Nodes()
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        frontier.append(leaf_hash(bytes.fromhex(entry)))
        nodes.append(leaf_hash(bytes.fromhex(entry)))
        assert frontier.root().hex() == root
        assert root_hash(nodes.size, nodes).hex() == root


def test_every_inclusion_case_of_transparency_dev_has_its_outcome(shared_data: Path) -> None:
    cases = sorted((shared_data / "merkle/testdata/inclusion").rglob("*.json"))
    assert len(cases) > 90
    for path in cases:
        case = json.loads(path.read_text())
        proof = [unbase64(sibling) for sibling in case["proof"] or []]
        place = {"index": case["leafIdx"], "size": case["treeSize"], "root": unbase64(case["root"]), "proof": proof}
        if case["wantErr"]:
            with pytest.raises((Malformed, Untrusted)):
                verify_inclusion(unbase64(case["leafHash"]), **place)
        else:
            verify_inclusion(unbase64(case["leafHash"]), **place)


def test_every_consistency_case_of_transparency_dev_has_its_outcome(shared_data: Path) -> None:
    cases = sorted((shared_data / "merkle/testdata/consistency").rglob("*.json"))
    assert len(cases) > 90
    for path in cases:
        case = json.loads(path.read_text())
        trees = {
            "old_size": case["size1"],
            "old_root": unbase64(case["root1"]),
            "size": case["size2"],
            "root": unbase64(case["root2"]),
            "proof": [unbase64(sibling) for sibling in case["proof"] or []],
        }
        if case["wantErr"] or path.name == NOT_32_BYTES:
            with pytest.raises((Malformed, Untrusted)):
                verify_consistency(**trees)
        else:
            verify_consistency(**trees)


def test_every_subtree_inclusion_case_of_transparency_dev_has_its_outcome(shared_data: Path) -> None:
    """A subtree is a tree of its own, counted from where it begins; a place that no subtree has is refused here."""
    cases = sorted((shared_data / "merkle/testdata/subtreeinclusion").rglob("*.json"))
    assert len(cases) > 200
    for path in cases:
        case = json.loads(path.read_text())
        start, width = case["start"], case["end"] - case["start"]
        proof = [unbase64(sibling) for sibling in case["proof"] or []]
        place = {"index": case["leafIdx"] - start, "size": width, "root": unbase64(case["root"]), "proof": proof}
        if case["wantErr"]:
            if width > 0 and start % (1 << (width - 1).bit_length()) == 0:
                with pytest.raises((Malformed, Untrusted)):
                    verify_inclusion(unbase64(case["leafHash"]), **place)
        else:
            verify_inclusion(unbase64(case["leafHash"]), **place)


def test_every_subtree_consistency_case_that_begins_at_0_has_its_outcome(shared_data: Path) -> None:
    """Cosignatures cover subtrees from 0 alone, and those are trees; the 16 cases of others have nothing here."""
    cases = [
        (path, case)
        for path in sorted((shared_data / "merkle/testdata/subtreeconsistency").rglob("*.json"))
        if (case := json.loads(path.read_text()))["start"] == 0
    ]
    assert len(cases) > 100
    for path, case in cases:
        trees = {
            "old_size": case["end"],
            "old_root": unbase64(case["root1"]),
            "size": case["size"],
            "root": unbase64(case["root2"]),
            "proof": [unbase64(sibling) for sibling in case["proof"] or []],
        }
        if case["wantErr"] or path.name == NOT_32_BYTES or case["end"] == 0:  # from an empty tree nothing is proven
            with pytest.raises((Malformed, Untrusted)):
                verify_consistency(**trees)
        else:
            verify_consistency(**trees)


def test_a_consistency_proof_from_an_empty_tree_is_refused() -> None:
    with pytest.raises(Malformed, match="from size 0"):
        verify_consistency(old_size=0, old_root=EMPTY_ROOT, size=1, root=bytes(32), proof=())


def test_the_audit_paths_of_rfc_6962_section_2_1_3() -> None:
    # The RFC's figure of seven leaves: PATH(0) = [b, h, l], PATH(3) = [c, g, l], PATH(4) = [f, j, k], PATH(6) = [i, k].
    d = leaves(7)
    a, b, c, dd, e, f, j = d
    g, h, i = node_hash(a, b), node_hash(c, dd), node_hash(e, f)
    k, el = node_hash(g, h), node_hash(i, j)
    nodes = Nodes()
    for leaf in d:
        nodes.append(leaf)
    assert root_hash(7, nodes) == node_hash(k, el)
    assert inclusion_proof(0, 7, nodes) == (b, h, el)
    assert inclusion_proof(3, 7, nodes) == (c, g, el)
    assert inclusion_proof(4, 7, nodes) == (f, j, k)
    assert inclusion_proof(6, 7, nodes) == (i, k)
    # PROOF(3) = [c, d, g, l], PROOF(4) = [l], PROOF(6) = [i, j, k]
    assert consistency_proof(3, 7, nodes) == (c, dd, g, el)
    assert consistency_proof(4, 7, nodes) == (el,)
    assert consistency_proof(6, 7, nodes) == (i, j, k)
    assert consistency_proof(7, 7, nodes) == ()


def test_peaks_are_one_a_binary_digit_largest_first() -> None:
    assert peaks_of(0) == ()
    assert peaks_of(13) == ((3, 0), (2, 2), (0, 12))


def test_the_proof_that_append_gives_is_the_newest_leafs_inclusion_proof() -> None:
    frontier, nodes = Frontier(), Nodes()
    for index, leaf in enumerate(leaves(70)):
        proof = frontier.append(leaf)
        nodes.append(leaf)
        assert proof == inclusion_proof(index, index + 1, nodes)
        verify_inclusion(leaf, index=index, size=frontier.size, root=frontier.root(), proof=proof)


def test_a_frontier_of_an_existing_tree_goes_on_as_if_it_had_grown_it() -> None:
    grown, nodes = Frontier(), Nodes()
    for leaf in leaves(37):
        grown.append(leaf)
        nodes.append(leaf)
    resumed = Frontier.of(37, nodes)
    assert (resumed.size, resumed.root()) == (37, grown.root())
    assert resumed.append(bytes(32)) == grown.append(bytes(32))


def test_a_forked_tree_has_no_consistency_proof() -> None:
    one, other = Nodes(), Nodes()
    for number, leaf in enumerate(leaves(20)):
        one.append(leaf)
        other.append(leaf if number != 5 else bytes(32))
    proof = consistency_proof(10, 20, other)
    with pytest.raises(Untrusted, match="both roots"):
        verify_consistency(old_size=10, old_root=root_hash(10, one), size=20, root=root_hash(20, other), proof=proof)


def test_a_rolled_back_tree_has_no_consistency_proof() -> None:
    nodes = Nodes()
    for leaf in leaves(20):
        nodes.append(leaf)
    with pytest.raises(Malformed, match="from size 20 to 10"):
        verify_consistency(old_size=20, old_root=root_hash(20, nodes), size=10, root=root_hash(10, nodes), proof=())


def test_a_copy_of_a_frontier_grows_by_itself() -> None:
    tree = Frontier()
    for entry in ENTRIES[:6]:
        tree.append(leaf_hash(bytes.fromhex(entry)))
    ahead = tree.copy()
    ahead.append(leaf_hash(bytes.fromhex(ENTRIES[6])))
    assert (tree.size, tree.root().hex()) == (6, ROOTS[5])
    assert (ahead.size, ahead.root().hex()) == (7, ROOTS[6])
