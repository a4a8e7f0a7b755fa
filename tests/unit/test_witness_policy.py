"""C2SP tlog-policy: what a file may say, and when a quorum is reached; cases follow the specification's own words."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError, Malformed, Untrusted
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, ED25519, Verifier
from provisioning.witness.policy import POLICY_BYTES_MAX, parse_policy, read_policy


def key(number: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()


def witness(number: int, name: str = "") -> Verifier:
    return Verifier(name or f"witness.example/{number}", COSIGNATURE_ED25519, key(number))


LOG = Verifier("landlink.example/la-0001.1", ED25519, key(99))
X1, X2, X3, Y1, Y2, Y3 = (witness(number) for number in range(1, 7))
# The example of the specification: two organizations, two of three of the first and any of the second.
EXAMPLE = f"""\
log {LOG.vkey()}

witness X1 {X1.vkey()}
witness X2 {X2.vkey()}
witness X3 {X3.vkey()}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1.vkey()}
witness Y2 {Y2.vkey()}
witness Y3 {Y3.vkey()}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
""".encode()


@pytest.mark.parametrize("signed", [(X1, X2, Y1), (X1, X3, Y3), (X1, X2, X3, Y1, Y2, Y3)])
def test_the_specifications_example_takes_two_of_the_one_and_any_of_the_other(signed: tuple[Verifier, ...]) -> None:
    parse_policy(EXAMPLE).require(LOG, signed)


@pytest.mark.parametrize(
    ("signed", "missing"),
    [((), "X1, X2, X3, Y1, Y2, Y3"), ((X1, Y1), "X2, X3, Y2, Y3"), ((X1, X2, X3), "Y1, Y2, Y3"), ((Y1, Y2), "X1")],
)
def test_a_quorum_that_is_not_reached_names_who_is_missing(signed: tuple[Verifier, ...], missing: str) -> None:
    with pytest.raises(Untrusted, match=rf"without the quorum of witnesses \(X-and-Y\): .*{missing}"):
        parse_policy(EXAMPLE).require(LOG, signed)


def test_a_witness_counts_by_its_key_and_not_by_its_name() -> None:
    with pytest.raises(Untrusted):
        parse_policy(EXAMPLE).require(LOG, (witness(50, X1.name), witness(51, X2.name), Y1))


def test_a_log_that_the_policy_does_not_name_is_refused_and_without_logs_any_is_taken() -> None:
    other = Verifier(LOG.name, ED25519, key(98))
    with pytest.raises(Untrusted, match="does not name this log"):
        parse_policy(EXAMPLE).require(other, (X1, X2, Y1))
    parse_policy(EXAMPLE.partition(b"\n")[2]).require(other, (X1, X2, Y1))


def test_quorum_none_asks_for_nobody() -> None:
    policy = parse_policy(b"quorum none\n")
    policy.require(LOG, ())
    assert (policy.quorum, policy.verifiers) == (None, ())


def test_white_space_comments_addresses_and_octets_above_ascii_are_taken() -> None:
    kelvin = "\N{KELVIN SIGN}1"
    witness_line = f"  witness\t{kelvin} {X1.vkey()}  https://w.example/1 \n"
    text = f"\t# caf\N{LATIN SMALL LETTER E WITH ACUTE} \n\n{witness_line}quorum {kelvin}\n"
    policy = parse_policy(text.encode())
    assert [each.url for each in policy.witnesses.values()] == ["https://w.example/1"]
    policy.require(LOG, (X1,))
    assert b"K1" not in policy.witnesses  # names are octets: the Kelvin sign is not K


W = f"witness a {X1.vkey()}\nwitness b {X2.vkey()}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no quorum line"),
        (W, "no quorum line"),
        (W + "quorum a", "does not end in a newline"),
        (W + "quorum a\nquorum b\n", "line 4: a second quorum"),
        (W + "quorum c\n", "line 3: c is not defined"),
        (f"quorum a\n{W}", "line 1: a is not defined"),
        (W + "group g all a c\nquorum g\n", "line 3: c is not defined"),
        (W + "group g all g\nquorum g\n", "line 3: g is not defined"),
        (W + "group g all none\nquorum g\n", "line 3: none is not defined"),
        (W + "group g 3 a b\nquorum g\n", "threshold"),
        (W + "group g 0 a b\nquorum g\n", "threshold"),
        (W + "group g 01 a b\nquorum g\n", "threshold"),
        (W + "group g most a b\nquorum g\n", "threshold"),
        (W + "group g all\nquorum g\n", "line 3: none of log, witness"),
        (W + "group g any a a\nquorum g\n", "a is a member for the second time"),
        (W + "group g any a\ngroup h any a b\nquorum h\n", "line 4: a is a member for the second time"),
        (W + "group a any b\nquorum a\n", "the name a is taken"),
        (f"witness none {X1.vkey()}\nquorum none\n", "the name none is taken"),
        (f"witness a {X1.vkey()}\nwitness c {witness(1, 'other').vkey()}\nquorum a\n", "key for the second time"),
        (f"log {LOG.vkey()}\nlog {Verifier('other', ED25519, LOG.public).vkey()}\nquorum none\n", "second time"),
        (f"log {X1.vkey()}\nquorum none\n", "type 04 does not sign so"),
        (f"witness a {LOG.vkey()}\nquorum a\n", "type 01 does not sign so"),
        ("witness a nonsense\nquorum a\n", "line 1: not name"),
        (W + "quorum\x0ba\n", "control character"),
        (W + "quorum a\r\n", "control character"),
        (W + "allow a\nquorum a\n", "none of log, witness"),
    ],
)
def test_what_the_specification_does_not_allow_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_policy(text.encode())


def test_ml_dsa_witnesses_are_named_as_well() -> None:
    verifier = Verifier("witness.example/pq", COSIGNATURE_MLDSA44, bytes(1_312))
    policy = parse_policy(f"witness pq {verifier.vkey()}\nquorum pq\n".encode())
    policy.require(LOG, (verifier,))


def test_a_policy_that_is_too_long_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="at most"):
        parse_policy(b"#" * (POLICY_BYTES_MAX + 1))
    with pytest.raises(ConfigError, match=r"witness\.policy"):
        read_policy(tmp_path / "witness.policy")
