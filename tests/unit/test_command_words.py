"""What boxes, collectors and list publishers say gives no terminal an order: lines, JSON, and a collector's refusal."""

import io
import json

import pytest

from appliance.uplink.link import Answer
from provisioning.command import json_line, say

ORDERS = ("\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\x7f\x08", "a\nbox revoked\r", "\u202etxt.exe", "\u2028")


@pytest.mark.parametrize("order", ORDERS)
def test_a_line_is_one_printable_line(order: str) -> None:
    out = io.StringIO()
    say(f"case {order} ends", out)
    assert out.getvalue().endswith(" ends\n")
    assert out.getvalue()[:-1].isprintable()


@pytest.mark.parametrize("order", ORDERS)
def test_json_for_scripts_is_printable_and_says_the_same(order: str) -> None:
    value = {"who": f"ບຸນ {order}", "also": [order, 1]}
    line = json_line(value)
    assert line.isprintable()
    assert json.loads(line) == value
    assert "ບຸນ" in line, "letters of other scripts stay readable"


@pytest.mark.parametrize("order", ORDERS)
def test_a_collectors_refusal_is_one_printable_line(order: str) -> None:
    words = Answer(status=403, headers={}, body=f"no{order}".encode()).words
    assert words.startswith("no" if order[0] != "a" else "noa")
    assert words.isprintable()
