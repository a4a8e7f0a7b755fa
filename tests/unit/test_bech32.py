"""Bech32: vectors of BIP 173, whose length limit age lifts."""

import pytest

from appliance.errors import Malformed
from appliance.formats import bech32


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("A12UEL5L", "a"),
        ("a12uel5l", "a"),
        (
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
        ),
        ("?1ezyfcl", "?"),
    ],
)
def test_a_valid_string_of_bip_173_decodes(text: str, prefix: str) -> None:
    assert bech32.decode(text, what="example", characters_max=100) == (prefix, b"")
    assert bech32.encode(prefix, b"") == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "\x201nwldj5",  # a space in the prefix
        "\x7f1axkwrx",  # a control character in the prefix
        "pzry9x0s0muk",  # no separator
        "1pzry9x0s0muk",  # empty prefix
        "x1b4n0q5v",  # a character outside the set
        "li1dgmt3",  # checksum too short
        "A1G7SGD8",  # checksum of the upper-case prefix
        "10a06t8",  # empty prefix
        "1qzzfhee",  # empty prefix
        "a12UEL5L",  # mixed case
        "a12uel5l" + "q" * 100,  # above the bound
        "á12uel5l",
        "",
    ],
)
def test_an_invalid_string_of_bip_173_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        bech32.decode(text, what="example", characters_max=100)
    assert len(text) < 4 or text not in str(refused.value)


@pytest.mark.parametrize("text", ["x1qm7ssx4", "x1lar4jxwx"])  # checksums by npm @scure/base
def test_bits_left_over_after_the_last_byte_are_refused(text: str) -> None:
    assert bech32.decode("x1lu7rxnn5", what="example", characters_max=100) == ("x", b"\xff")
    with pytest.raises(Malformed, match="left over"):
        bech32.decode(text, what="example", characters_max=100)
