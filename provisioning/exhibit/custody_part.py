"""The part of headquarters' own log that concerns one exhibit, as files and back (`evidence/custody/`)."""

from collections.abc import Sequence
from typing import Final

from appliance.formats.age import Identity
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.merkle import NodeReader, complete_root, inclusion_proof, leaf_hash, verify_inclusion
from appliance.formats.note import parse_vkey
from provisioning.custody.act import Act, encode_detail, parse_act, read_detail
from provisioning.custody.log import CustodyLog, origin_of
from provisioning.exhibit.contents import Custody, CustodyFacts
from provisioning.exhibit.custody_sum import TOLD, About, Leaf, read_reached, sum_up
from provisioning.exhibit.pieces import EVIDENCE, Pieces, demand, naming, take
from provisioning.exhibit.times import pretty
from provisioning.exhibit.tlog_proof import encode_proof, parse_proof
from provisioning.exhibit.trust import Trusted

FOLDER: Final = f"{EVIDENCE}/custody"
KEY: Final = f"{FOLDER}/log.vkey"
CHECKPOINT: Final = f"{FOLDER}/checkpoint"
REACHED: Final = f"{FOLDER}/reached.json"


def custody_pieces(
    custody: CustodyLog, about: About, identities: Sequence[Identity], *, words: bool
) -> dict[str, bytes]:
    """The acts that concern an exhibit, its log's checkpoint, and what proves that they stand there.

    Acts that name it are here with their proofs; of those that only opened it among others the first and the last,
    and their sum (custody_sum.py); and the first act of all.

    Args:
        custody: Headquarters' own log, with at least one act.
        about: What the exhibit is about.
        identities: What opens the words of acts.
        words: Whether to give the words; a redacted copy goes without.
    """
    note, encoded = custody.leaves()
    hashes = [leaf_hash(leaf) for leaf in encoded]
    leaves = [Leaf(index, leaf, parse_act(leaf)) for index, leaf in enumerate(encoded)]
    pieces = {KEY: f"{custody.verifier.vkey()}\n".encode("ascii"), CHECKPOINT: note}
    reached = sum_up(leaf for leaf in leaves if about.only_reaches(leaf.act))
    bounds = set[int]() if reached is None else {reached.first, reached.last}
    if reached is not None:
        pieces[REACHED] = pretty(reached)
    for index, leaf, act in leaves:
        if index and index not in bounds and not about.names(act):
            continue
        proof = inclusion_proof(index, len(leaves), _nodes(hashes))
        pieces[f"{FOLDER}/{index}.cbor"] = leaf
        pieces[f"{FOLDER}/{index}.tlog-proof"] = encode_proof(index, proof, note)
        if words and about.names(act) and act.did in TOLD:
            detail = custody.told(index, act, identities)
            if detail is not None:
                pieces[f"{FOLDER}/{index}.detail.cbor"] = encode_detail(detail)
    return pieces


def _nodes(hashes: Sequence[bytes]) -> NodeReader:
    def node(level: int, index: int) -> bytes:
        return complete_root(hashes[index << level : (index + 1) << level])

    return node


def read_custody(pieces: Pieces, domain: str, trusted: Trusted, about: About) -> Custody:
    """Verify the part of the log that lies in an exhibit. Raises Broken."""
    with naming(KEY):
        verifier = parse_vkey(take(pieces, KEY).decode("ascii", "replace"))
    demand(verifier.name == origin_of(domain), KEY, "the key of another log")
    note = take(pieces, CHECKPOINT)
    with naming(CHECKPOINT):
        checkpoint, _ = open_checkpoint(note, verifier)
    acts = {index: _read_act(pieces, index, note, checkpoint) for index in _indices(pieces)}
    return Custody(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        since_ms=acts[0].at_ms if 0 in acts else None,
        entries=tuple(_facts(pieces, index, act) for index, act in acts.items() if about.names(act)),
        reached=read_reached(pieces, REACHED, about, acts),
        vouched=verifier.public in trusted.custody_keys,
    )


def _read_act(pieces: Pieces, index: int, note: bytes, tree: Checkpoint) -> Act:
    """An act, and that it stands at its place."""
    path, proof_path = f"{FOLDER}/{index}.cbor", f"{FOLDER}/{index}.tlog-proof"
    leaf = take(pieces, path)
    with naming(path):
        act = parse_act(leaf)
    with naming(proof_path):
        proof = parse_proof(take(pieces, proof_path))
        demand((proof.index, proof.checkpoint) == (index, note), proof_path, "of another entry or checkpoint")
        verify_inclusion(leaf_hash(leaf), index=index, size=tree.size, root=tree.root, proof=proof.hashes)
    return act


def _indices(pieces: Pieces) -> list[int]:
    names = (path.removeprefix(f"{FOLDER}/").removesuffix(".cbor") for path in pieces if path.startswith(f"{FOLDER}/"))
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def _facts(pieces: Pieces, index: int, act: Act) -> CustodyFacts:
    path = f"{FOLDER}/{index}.detail.cbor"
    why = to = ""
    if path in pieces:
        with naming(path):
            detail = read_detail(pieces[path], act.detail)
        why, to = detail.why, detail.to
    return CustodyFacts(index=index, at_ms=act.at_ms, act=act.did, by=act.by, why=why, to=to)
