"""The page's own cryptography, without a browser: against RFC 8032 and FIPS 202, other implementations, and forgers."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.formats import cbor
from provisioning.exhibit.verifier_page import verifier_script

pytestmark = pytest.mark.interop

P: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493

RFC_8032: Final = (  # §7.1, TEST 1 to 3: public key, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
            "655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            "b00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
            "c027beceea1ec40a"
        ),
    ),
)

SMALL_ORDER: Final = (  # the points whose order divides 8, and y = p and p + 1, which are 0 and 1 spelled otherwise
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
)

Ask = Callable[[str, object], Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(node: Run, tmp_path: Path) -> Ask:
    """`ask(EXPRESSION, given)`: what the page's script says, `given` and all results as JSON."""

    def asked(expression: str, given: object) -> Any:  # noqa: ANN401 - JSON
        script = tmp_path / "asked.mjs"
        call = f"const given = {json.dumps(given)};\nconsole.log(JSON.stringify(await ({expression})));\n"
        script.write_text(verifier_script() + call, encoding="utf-8")
        done = node(script)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return asked


ED25519 = (
    "Promise.all(given.map(([key, message, signed]) => verifyEd25519(fromHex(key), fromHex(message), fromHex(signed))))"
)
ML_DSA = ED25519.replace("verifyEd25519", "verifyMlDsa44")


def test_vectors_of_rfc_8032_hold(ask: Ask) -> None:
    assert ask(ED25519, RFC_8032) == [True] * len(RFC_8032)


def test_ed25519_agrees_with_cryptography_on_good_and_flipped_signatures(ask: Ask) -> None:
    cases: list[tuple[str, str, str]] = []
    for number in range(12):
        key, message = Ed25519PrivateKey.generate(), os.urandom(number * 37)
        signed = bytearray(key.sign(message))
        cases.append((key.public_key().public_bytes_raw().hex(), message.hex(), signed.hex()))
        signed[number * 5] ^= 1 << (number % 8)
        cases.append((*cases[-1][:2], signed.hex()))
    assert ask(ED25519, cases) == [True, False] * 12


def test_a_key_of_small_order_signs_nothing(ask: Ask) -> None:
    nothing = bytes(32).hex()  # S = 0: with R and the key of small order the bare equation holds for some messages
    cases = [(key, bytes([number]).hex(), r + nothing) for key in SMALL_ORDER for r in SMALL_ORDER for number in (0, 1)]
    assert ask(ED25519, cases) == [False] * len(cases)


def test_a_signature_has_one_spelling(ask: Ask) -> None:
    key, message, signature = RFC_8032[1]
    s = int.from_bytes(bytes.fromhex(signature)[32:], "little")
    above = signature[:64] + (s + ORDER).to_bytes(32, "little").hex()
    assert (
        ask(ED25519, [(key, message, above), (key, message, signature + "00"), (key[:-2], message, signature)])
        == [False] * 3
    )


def test_no_point_is_taken_in_another_than_its_one_spelling(ask: Ask) -> None:
    spelled = [(P + y).to_bytes(32, "little").hex() for y in range(19)]
    assert ask("given.map((point) => decompress(fromHex(point)))", spelled) == [None] * 19


def test_shake_is_that_of_the_standard_library(ask: Ask) -> None:
    messages = [os.urandom(length) for length in (0, 1, 135, 136, 137, 167, 168, 400)]
    given = [message.hex() for message in messages]
    said = ask("given.map((m) => [hex(shake128(fromHex(m))(500)), hex(shake256(fromHex(m))(500))])", given)
    assert said == [[hashlib.shake_128(m).hexdigest(500), hashlib.shake_256(m).hexdigest(500)] for m in messages]


def test_ml_dsa_agrees_with_cryptography_on_good_and_flipped_signatures(ask: Ask) -> None:
    cases: list[tuple[str, str, str]] = []
    for at in (0, 31, 32, 1_000, 2_335, 2_336, 2_416, 2_419):  # challenge, z, hint, its counts
        key, message = MLDSA44PrivateKey.generate(), os.urandom(at % 90)
        signed = bytearray(key.sign(message))
        cases.append((key.public_key().public_bytes_raw().hex(), message.hex(), signed.hex()))
        signed[at] ^= 1
        cases.append((*cases[-1][:2], signed.hex()))
    assert ask(ML_DSA, cases) == [True, False] * 8


READ = (
    "given.map((text) => { try { decodeCbor(fromHex(text)); return true }"
    " catch (error) { return error instanceof Bad ? false : String(error) } })"
)


def test_the_reader_of_cbor_takes_what_ours_writes_and_refuses_other_spellings(ask: Ask) -> None:
    values = [
        0,
        23,
        24,
        255,
        256,
        65_536,
        2**40,
        -1,
        -300,
        "",
        "ລາວ",
        b"x" * 300,
        [1, [2]],
        {"a": None, "b": True},
        1.5,
    ]
    assert ask(READ, [cbor.encode(value).hex() for value in values]) == [True] * len(values)
    others = [
        "1817",  # 23 in two bytes
        "190018",  # 24 in three
        "9f01ff",  # indefinite length
        "a2616201616101",  # keys not in order
        "a2616101616102",  # a key twice
        "c100",  # a tag
        "f7",  # undefined
        "61ff",  # not UTF-8
        "0000",  # something behind it
        "5affffffff",  # longer than the file
        "81" * 40 + "00",  # too deep
        "",
    ]
    assert ask(READ, others) == [False] * len(others)


def test_readers_of_what_comes_from_outside_refuse_and_never_stumble(ask: Ask) -> None:
    readers = "[parseSign1, parseProof, (b) => parseCheckpoint(fromUtf8(b)), (b) => parseMetadata(b, 'root')]"
    tries = (
        f"given.map((text) => {readers}.map((read) => {{ try {{ read(fromHex(text)); return 'taken' }}"
        " catch (error) { return error instanceof Bad }}))"
    )
    given = ["", "d2", "d280", "ff", "0a0a", b"null".hex(), b"{}".hex(), b"c2sp.org/tlog-proof@v1\nindex 01\n\n".hex()]
    assert ask(tries, given) == [[True] * 4] * len(given)


def test_a_proof_for_another_place_or_of_another_length_leads_nowhere(ask: Ask) -> None:
    leaves = [bytes([number]) for number in range(5)]

    def hashed(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    row = [hashed(b"\x00", leaf) for leaf in leaves]
    pairs = [hashed(b"\x01", row[0], row[1]), hashed(b"\x01", row[2], row[3])]
    four = hashed(b"\x01", *pairs)
    root = hashed(b"\x01", four, row[4])
    good = [leaves[2].hex(), 2, 5, root.hex(), [row[3].hex(), pairs[0].hex(), row[4].hex()]]
    last = [leaves[4].hex(), 4, 5, root.hex(), [four.hex()]]
    wrong = [
        [good[0], 3, *good[2:]],
        [good[0], 2, 4, *good[3:]],
        [*good[:4], good[4][:2]],
        [*good[:4], [*good[4], row[0].hex()]],
        [good[0], 5, *good[2:]],
        [*last[:4], []],
        [*last[:4], [four.hex(), four.hex()]],
    ]
    check = (
        "Promise.all(given.map(([leaf, index, size, root, proof]) => checkInclusion(fromHex(leaf), BigInt(index),"
        " BigInt(size), fromHex(root), proof.map(fromHex)).then(() => true, (error) => !(error instanceof Bad))))"
    )
    assert ask(check, [good, last, *wrong]) == [True, True] + [False] * len(wrong)


def test_a_record_that_was_carried_over_is_of_an_earlier_log_of_the_same_box(ask: Ask) -> None:
    own = "landlink.example/la-0001.2"
    lost = ["la-0001.1", "la-0001.2", "la-0001.3", "la-0002.1", "la-0001"]
    given = [[own, ["carried", "", 1, f"landlink.example/{name}", 0, ""]] for name in lost]
    made = (
        "given.map(([origin, payload]) => { try { return madeFor({ origin, payload }) }"
        " catch (error) { return error instanceof Bad ? null : String(error) } })"
    )
    assert ask(made, [*given, [own, ["sealed", "", 1]]]) == ["landlink.example/la-0001.1", None, None, None, None, own]
