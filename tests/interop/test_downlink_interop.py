"""Tools that others wrote open what headquarters says to one box, and work out the same codes for a telephone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats.downlink import (
    CaseAnswer,
    Downlink,
    ListKey,
    Message,
    VoiceKey,
    downlink_digest,
    seal_downlink,
    sign_downlink,
)
from appliance.formats.voice import Verdict, answer_code, case_code
from tests.formats_samples import ESCROW, GENERAL, RECEIPTS_KEY, RECEIPTS_PUBLIC

pytestmark = pytest.mark.interop

Run = Callable[..., subprocess.CompletedProcess[str]]
BOX = "landlink.example/la-0001"
OF = "0123456789abcdef" * 2


def signed(message: Message, counter: int) -> bytes:
    downlink = Downlink(box=BOX, counter=counter, at_ms=1_793_100_000_000, message=message)
    return sign_downlink(downlink, public=RECEIPTS_PUBLIC, sign=RECEIPTS_KEY.sign)


def test_age_encryption_and_auth0_cose_open_every_kind_of_message_and_refuse_what_was_changed(
    node: Run, tmp_path: Path
) -> None:
    said: list[Message] = [
        CaseAnswer(of=OF, verdict=Verdict.NOT_CONFIRMED, words="ບໍ່ແມ່ນຄົນດຽວກັນ. Not the same.", by="Duty desk 1"),
        ListKey(key=b"\x01" * 32),
        VoiceKey(key=b"\x02" * 32),
    ]
    (tmp_path / "identity").write_text(GENERAL.encode())
    files = []
    for counter, message in enumerate(said, 1):
        files.append(tmp_path / f"{counter}.age")
        files[-1].write_bytes(seal_downlink(signed(message, counter), GENERAL.recipient))
    done = node("downlink.mjs", "open", tmp_path / "identity", RECEIPTS_PUBLIC.hex(), *files)
    assert done.returncode == 0, done.stderr
    read = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["digest"] for one in read] == [
        downlink_digest(signed(message, counter)).hex() for counter, message in enumerate(said, 1)
    ]
    assert [(one["box"], one["counter"]) for one in read] == [(BOX, 1), (BOX, 2), (BOX, 3)]
    assert read[0]["message"] == {
        "type": "case_answer",
        "of": OF,
        "verdict": "not confirmed",
        "words": "ບໍ່ແມ່ນຄົນດຽວກັນ. Not the same.",
        "by": "Duty desk 1",
    }
    assert read[1]["message"] == {"type": "list_key", "key": "01" * 32}


def test_another_box_cannot_open_it(node: Run, tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(ESCROW.encode())
    (tmp_path / "1.age").write_bytes(seal_downlink(signed(ListKey(key=bytes(32)), 1), GENERAL.recipient))
    done = node("downlink.mjs", "open", tmp_path / "identity", RECEIPTS_PUBLIC.hex(), tmp_path / "1.age")
    assert done.returncode == 1
    assert done.stdout == ""


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.sampled_from(Verdict))
def test_node_works_out_the_same_codes(node: Run, key: bytes, record: bytes, verdict: Verdict) -> None:
    done = node("downlink.mjs", "voice", key.hex(), BOX, record.hex(), verdict.value)
    assert done.returncode == 0, done.stderr
    case = case_code(record.hex())
    assert json.loads(done.stdout) == {
        "case": case,
        "answer": answer_code(key, box=BOX, case=case, verdict=verdict),
    }
