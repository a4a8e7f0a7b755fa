"""Rules of any kind: parsers are total, and no rules let pass what always refers."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from appliance.decide import decide
from appliance.errors import Malformed
from appliance.formats.lists import NOTICES
from appliance.formats.rules import DEFAULT_RULES, HitRule, Rules, encode_rules, parse_rules
from appliance.judged import Answer, Band, Clear, Finding, Hit, ListAnswer, Refer, Screening
from provisioning.policy.rules_file import line_of, parse_rules_file
from tests.rules_world import SEARCHED, hit
from tests.screen_world import laid

HIT_RULES = st.builds(
    HitRule,
    action=st.sampled_from(["alert", "refer", "note"]),
    list_name=st.sampled_from([None, "documents", "persons"]),
    band=st.sampled_from([None, *Band]),
    notice=st.sampled_from([None, "", *NOTICES]),
)
ANY_RULES = st.builds(
    lambda hits, findings: structs.replace(DEFAULT_RULES, hits=tuple(hits), findings=findings),
    st.lists(HIT_RULES, max_size=8),
    st.dictionaries(st.sampled_from(["expiry", "specimen"]), st.sampled_from(["refer", "note"])),
)
HITS = st.lists(
    st.builds(
        hit,
        st.sampled_from(["documents", "persons"]),
        st.sampled_from(list(Band)),
        entry=st.sampled_from(["A", "B"]),
        notice=st.sampled_from(["", *NOTICES]),
    ),
    max_size=4,
)
ANSWERS = st.sampled_from([SEARCHED[1], structs.replace(SEARCHED[1], searched=False, dated=None)])
SPARED = st.frozensets(st.sampled_from(["A", "B"]))
EXPIRED = Finding(check="expiry", answer=Answer.FAILED, reason="It expired.")


@given(ANY_RULES, HITS, SPARED, ANSWERS, st.sampled_from([(), (EXPIRED,)]))
def test_no_rules_let_pass_what_always_refers(
    rules: Rules, hits: list[Hit], spared: frozenset[str], answer: ListAnswer, findings: tuple[Finding, ...]
) -> None:
    decision = decide(
        laid(),
        findings,
        Screening(lists=(answer,), hits=tuple(hits)),
        duty_telephone="1191",
        rules=rules,
        spared=spared,
    )
    must = not answer.searched or any(
        each.band is Band.EXACT_DOCUMENT for each in hits if each.list_name == "documents"
    )
    if must:
        assert isinstance(decision, Refer)
    if isinstance(decision, Clear) and findings:
        assert decision.notices[0] == "It expired."
    if isinstance(decision, Refer) and decision.alert:
        assert any(rule.action == "alert" for rule in rules.hits)


@given(st.binary(max_size=400))
def test_bytes_are_rules_or_malformed(data: bytes) -> None:
    for read in (parse_rules, lambda each: parse_rules_file(each, name="f")):
        with contextlib.suppress(Malformed):
            read(data)


@given(st.data())
def test_rules_with_one_byte_changed_are_rules_or_malformed_and_the_line_is_in_the_file(data: st.DataObject) -> None:
    text = bytearray(encode_rules(DEFAULT_RULES).replace(b",", b",\n"))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    try:
        parse_rules_file(bytes(text), name="f")
    except Malformed as error:
        line = error.what.partition(" line ")[2].partition(",")[0]
        assert line == "" or 1 <= int(line) <= text.count(b"\n") + 1


@given(st.text(alphabet="hits[]0123.ab", max_size=30))
def test_a_place_that_is_not_there_has_the_line_of_what_is_around_it(place: str) -> None:
    assert 1 <= line_of('{\n"hits": [\n{"a": 1},\n{"b": "}]"}\n]\n}', place) <= 4
