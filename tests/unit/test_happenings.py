"""What happens to the booth itself is logged without a word about anybody: sign-ins, refused ones, the lid."""

import pytest

from appliance.booth.events import BadgeSaid, SignInFailed
from appliance.errors import Refused
from appliance.formats.event import check_event
from appliance.recorded import Screened
from appliance.scan.reading import typed_reading
from tests.small_post import SmallPost

DOCUMENT = {
    "document_kind": "P",
    "issuing_state": "LAO",
    "document_number": "PA1234567",
    "primary_identifier": "SISOUK",
    "secondary_identifier": "MALAVANH",
    "date_of_birth": "1987-03-04",
    "date_of_expiry": "2031-06-30",
}

BADGE = "B-4471 KHAMPHOUY"


def logged(post: SmallPost) -> list[tuple[str, dict[str, str]]]:
    """What this booth logged after its start."""
    post.clerk.idle()
    assert post.recorder.events[0] == ("page_started", {})
    return post.recorder.events[1:]


def test_signing_in_and_out_is_logged_and_the_badge_is_not() -> None:
    post = SmallPost()
    for badge in (BADGE, BADGE, "7702", ""):
        post.clerk.say(BadgeSaid(badge=badge))
    assert logged(post) == [("signed_in", {}), ("signed_in", {}), ("signed_out", {})]
    assert BADGE not in str(post.recorder.events)


def test_refused_sign_ins_are_counted_into_one_entry() -> None:
    post = SmallPost()
    for _ in range(3):
        post.clerk.say(SignInFailed())
    assert logged(post) == [("sign_in_failed", {"count": "3"})]
    assert logged(post) == [("sign_in_failed", {"count": "3"})], "it is said once"


def test_a_case_that_is_opened_and_closed_is_logged_and_said_on_the_page() -> None:
    post = SmallPost()
    post.clerk.lid(is_open=True)
    assert "case of the box is open" in post.board.latest.notice
    post.clerk.lid(is_open=False)
    assert logged(post) == [("lid_changed", {"state": "open"}), ("lid_changed", {"state": "closed"})]


def test_what_the_log_does_not_take_now_waits_in_its_order() -> None:
    post = SmallPost()
    post.clerk.idle()
    post.recorder.trouble = "away"
    post.clerk.lid(is_open=True)
    post.clerk.say(BadgeSaid(badge=BADGE))
    post.clerk.idle()
    assert len(post.recorder.events) == 1
    post.recorder.trouble = ""
    assert logged(post) == [("lid_changed", {"state": "open"}), ("signed_in", {})]


def test_a_look_up_is_recorded_with_nobody_s_crossing_and_opens_no_case() -> None:
    post = SmallPost()
    post.clerk.idle()
    answer = post.clerk.look_up(typed_reading(**DOCUMENT))
    assert answer.startswith("Nothing found in the list of")
    assert (post.state.cases, post.state.crossing, post.panel.lamps) == ((), None, [])
    kept = [record for record in post.recorder.records if isinstance(record.body, Screened)]
    assert [(record.crossing, record.person) for record in kept] == [(None, None)]
    assert logged(post) == [("looked_up", {})]


def test_a_look_up_that_is_not_recorded_says_nothing() -> None:
    post = SmallPost()
    post.clerk.idle()
    post.recorder.trouble = "away"
    with pytest.raises(Refused, match="tells nothing without a record"):
        post.clerk.look_up(typed_reading(**DOCUMENT))
    assert post.panel.lamps == []


def test_a_look_up_leaves_the_traveller_s_result_as_it_is() -> None:
    post = SmallPost()
    post.clerk.idle()
    post.clerk.document(typed_reading(**DOCUMENT))
    before = (post.state, post.panel.lamps[-1:])
    post.clerk.look_up(typed_reading(**DOCUMENT | {"document_number": "PA7654321"}))
    assert (post.state, post.panel.lamps[-1:]) == before


def test_everything_that_a_booth_logs_is_as_declared() -> None:
    post = SmallPost()
    post.clerk.lid(is_open=True)
    post.clerk.say(SignInFailed())
    post.clerk.say(BadgeSaid(badge=BADGE))
    post.clerk.say(BadgeSaid(badge=""))
    for event, fields in logged(post):
        check_event(event, fields)
