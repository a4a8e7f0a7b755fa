"""Signed notes, cosignatures and checkpoints: the specification's example, messages built by hand, and forgeries."""

import base64
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from appliance.formats.note import (
    COSIGNATURE_ED25519,
    ED25519,
    Ed25519Cosigner,
    LogSigner,
    MlDsa44Cosigner,
    Verifier,
    add_signatures,
    open_note,
    parse_vkey,
    sign_note,
    with_signatures_of,
)
from tests.formats_samples import LOG_KEY, LOG_SIGNER, ORIGIN

SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
HEADQUARTERS = "landlink.example/headquarters"
AT_S = 1_793_100_000
COSIGNER = Ed25519Cosigner(HEADQUARTERS, Ed25519PrivateKey.from_private_bytes(b"\x41" * 32), at_s=AT_S)
MLDSA_KEY = MLDSA44PrivateKey.from_seed_bytes(b"\x42" * 32)
MLDSA_COSIGNER = MlDsa44Cosigner(HEADQUARTERS, MLDSA_KEY, at_s=AT_S)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=20_852_163, root=b"\x0a" * 32)


def test_the_example_of_the_specification_opens() -> None:
    verifier = parse_vkey(SPEC_VKEY)
    assert verifier.vkey() == SPEC_VKEY
    opened = open_note(SPEC_NOTE, [verifier])
    assert opened.text == "This is an example message.\n"
    assert opened.require(verifier).at_s is None


def test_an_ed25519_cosignature_signs_time_and_checkpoint_as_the_specification_words_it() -> None:
    signature = COSIGNER.sign(CHECKPOINT.text())
    assert signature[:8] == struct.pack(">Q", AT_S)
    message = f"cosignature/v1\ntime 1793100000\n{ORIGIN}\n20852163\n{base64.b64encode(CHECKPOINT.root).decode()}\n"
    Ed25519PrivateKey.from_private_bytes(b"\x41" * 32).public_key().verify(signature[8:], message.encode())


def test_an_mldsa_cosignature_signs_the_structure_of_the_specification() -> None:
    signature = MLDSA_COSIGNER.sign(CHECKPOINT.text())
    message = (
        b"subtree/v1\n\x00"
        + bytes([29])
        + b"landlink.example/headquarters"
        + bytes.fromhex("000000006ae088e0")  # 1,793,100,000 seconds
        + bytes([26])
        + b"landlink.example/la-0001.1"
        + bytes(8)  # from leaf 0
        + bytes.fromhex("00000000013e2dc3")  # to 20,852,163
        + b"\x0a" * 32
    )
    assert len(signature) == 8 + 2_420
    assert signature[:8].hex() == "000000006ae088e0"
    MLDSA_KEY.public_key().verify(signature[8:], message)


def test_a_cosigned_checkpoint_tells_who_signed_it_and_when() -> None:
    note = add_signatures(sign_checkpoint(CHECKPOINT, [LOG_SIGNER]), [COSIGNER, MLDSA_COSIGNER])
    checkpoint, opened = open_checkpoint(note, LOG_SIGNER.verifier, COSIGNER.verifier, MLDSA_COSIGNER.verifier)
    assert checkpoint == CHECKPOINT
    assert opened.require(COSIGNER.verifier).at_s == opened.require(MLDSA_COSIGNER.verifier).at_s == AT_S


def test_signatures_by_unknown_keys_are_ignored() -> None:
    note = add_signatures(sign_checkpoint(CHECKPOINT, [LOG_SIGNER]), [COSIGNER])
    _, opened = open_checkpoint(note, LOG_SIGNER.verifier)
    with pytest.raises(Untrusted, match=r"not signed by landlink\.example/headquarters"):
        opened.require(COSIGNER.verifier)


def test_of_a_note_the_lines_of_known_keys_stay_one_each_and_no_others() -> None:
    note = sign_checkpoint(CHECKPOINT, [LOG_SIGNER, COSIGNER])
    stranger = Ed25519Cosigner("landlink.example/stranger", Ed25519PrivateKey.generate(), at_s=AT_S)
    namesake = Ed25519Cosigner(HEADQUARTERS, Ed25519PrivateKey.generate(), at_s=AT_S)
    later = Ed25519Cosigner(HEADQUARTERS, Ed25519PrivateKey.from_private_bytes(b"\x41" * 32), at_s=AT_S + 1)
    crowded = add_signatures(note, [stranger, later, LOG_SIGNER, namesake, stranger])
    assert with_signatures_of(crowded, (LOG_SIGNER.verifier, COSIGNER.verifier)) == note
    assert with_signatures_of(crowded, (LOG_SIGNER.verifier,)) == sign_checkpoint(CHECKPOINT, [LOG_SIGNER])


def test_a_cosigner_alone_does_not_make_a_checkpoint() -> None:
    note = sign_note(CHECKPOINT.text(), [COSIGNER])
    with pytest.raises(Untrusted, match=f"not signed by {ORIGIN}"):
        open_checkpoint(note, LOG_SIGNER.verifier, COSIGNER.verifier)


def test_a_failing_signature_by_a_known_key_rejects_the_note_that_others_signed() -> None:
    for line in range(3):
        note = add_signatures(sign_checkpoint(CHECKPOINT, [LOG_SIGNER]), [COSIGNER, MLDSA_COSIGNER]).decode()
        text, lines = note.split("\n\n")
        signatures = lines[:-1].split("\n")
        signature = bytearray(base64.b64decode(signatures[line].split(" ")[2]))
        signature[-1] ^= 1
        signatures[line] = " ".join([*signatures[line].split(" ")[:2], base64.b64encode(signature).decode()])
        forged = f"{text}\n\n{chr(10).join(signatures)}\n".encode()
        with pytest.raises(Untrusted, match="does not hold"):
            open_checkpoint(forged, LOG_SIGNER.verifier, COSIGNER.verifier, MLDSA_COSIGNER.verifier)


def test_a_cosignature_with_another_time_does_not_hold() -> None:
    later = Ed25519Cosigner(HEADQUARTERS, Ed25519PrivateKey.from_private_bytes(b"\x41" * 32), at_s=AT_S + 1)
    moved = later.sign(CHECKPOINT.text())[:8] + COSIGNER.sign(CHECKPOINT.text())[8:]
    with pytest.raises(Untrusted):
        COSIGNER.verifier.verify(CHECKPOINT.text(), moved)


def test_a_checkpoint_of_another_log_by_the_same_key_is_refused() -> None:
    other = Checkpoint(origin="landlink.example/la-0002.1", size=1, root=bytes(32))
    with pytest.raises(Untrusted, match="another origin"):
        open_checkpoint(sign_checkpoint(other, [LOG_SIGNER]), LOG_SIGNER.verifier)


def test_one_key_under_two_names_is_two_verifiers() -> None:
    other = LogSigner("landlink.example/la-0001.2", LOG_KEY)
    with pytest.raises(Untrusted, match="not signed by a known key"):
        open_note(sign_checkpoint(CHECKPOINT, [LOG_SIGNER]), [other.verifier])


def test_a_log_key_does_not_pass_for_a_cosigner_of_the_same_name_and_bytes() -> None:
    public = LOG_KEY.public_key().public_bytes_raw()
    assert Verifier(ORIGIN, ED25519, public).key_id != Verifier(ORIGIN, COSIGNATURE_ED25519, public).key_id


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash example.com/foo AAAAAAAA\n",
        "text\n\n— example.com/foo\n".encode(),
        "text\n\n— example.com/foo AAAA\n".encode(),  # a key id alone
        "text\n\n— example.com/foo AAAAAAA\n".encode(),  # no base64
        "text\n\n— example.com/foo AAAAAAAAAB==\n".encode(),  # not canonical
        "text\n\n— example.com/fo+o AAAAAAAA\n".encode(),
        "text\n\n— example.com/foo AAAAAAAA".encode(),  # no newline at the end
        b"te\xffxt\n\n",
        b"te\rxt\n\n",
        b"te\x00xt\n\n",
        b"a" * 65_537,
        ("text\n\n" + "— example.com/foo AAAAAAAA\n" * 33).encode(),
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(Malformed):
        open_note(note, [parse_vkey(SPEC_VKEY)])


def test_sixteen_mldsa_signatures_fit_the_bound_of_a_note() -> None:
    signers = [
        MlDsa44Cosigner(f"w{number}.example", MLDSA44PrivateKey.from_seed_bytes(bytes([number]) * 32), at_s=AT_S)
        for number in range(16)
    ]
    note = add_signatures(sign_checkpoint(CHECKPOINT, [LOG_SIGNER]), signers)
    _, opened = open_checkpoint(note, LOG_SIGNER.verifier, *(signer.verifier for signer in signers))
    assert len(opened.signatures) == 17


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        SPEC_VKEY.replace("530d903a", "530d903b"),
        SPEC_VKEY.replace("530d903a", "530D903A"),
        SPEC_VKEY.replace("foo", "bar"),
        SPEC_VKEY.replace("foo", "f o"),
        SPEC_VKEY[:-1],
        SPEC_VKEY + "AAAA",
        "example.com/foo+530d903a+",
        SPEC_VKEY.replace("+Ae", "+Be"),
        "x" * 4_000,
    ],
)
def test_a_wrong_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed):
        parse_vkey(vkey)


def test_the_vkeys_of_all_three_types_round_trip() -> None:
    for signer in (LOG_SIGNER, COSIGNER, MLDSA_COSIGNER):
        assert parse_vkey(signer.verifier.vkey() + "\n") == signer.verifier


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        f"{ORIGIN}\n1\n{'A' * 43}=\nextension\n",
        f"{ORIGIN}\n01\n{'A' * 43}=\n",
        f"{ORIGIN}\n-1\n{'A' * 43}=\n",
        f"{ORIGIN}\n9223372036854775808\n{'A' * 43}=\n",
        f"{ORIGIN}\n1\n{'A' * 43}\n",
        f"{ORIGIN}\n1\n{'A' * 42}B=\n",
        f"{ORIGIN}\n1\n{'A' * 43}=",
        f"\n1\n{'A' * 43}=\n",
        f"with space\n1\n{'A' * 43}=\n",
        f"with+plus\n1\n{'A' * 43}=\n",
        f"with\u2028separator\n1\n{'A' * 43}=\n",
        f"{'ü' * 200}\n1\n{'A' * 43}=\n",
        f"{ORIGIN}\n\u0661\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(text)


def test_a_cosigner_signs_nothing_but_checkpoints() -> None:
    for signer in (COSIGNER, MLDSA_COSIGNER):
        with pytest.raises(Malformed):
            signer.sign("I owe you a thousand kip.\n")
