"""The officer's page over real HTTP: whose requests it takes, what it refuses, and what its words do in the lane."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from appliance.booth.connections import BEGIN_S, BODY_S, CONNECTIONS_MAX
from appliance.booth.gate import HEADERS, allowed_hosts
from appliance.booth.gate import Gate as PageGate
from appliance.booth.page import STREAMS_MAX
from appliance.errors import ConfigError
from appliance.recorded import OutcomeKind
from drivers.api import Button, Lamp, Noise
from tests.scenarios.booth_bed import WAIT_S, Booth, open_booth
from tests.small_post import LISTED, passport

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def booth() -> Iterator[Booth]:
    with open_booth() as opened:
        yield opened


def test_every_answer_carries_the_strict_headers_and_nothing_comes_from_elsewhere(booth: Booth) -> None:
    html = booth.open() if not booth.cookie else str(booth.ask("GET", "/")[1])
    for path in ("/", "/state", "/static/page.css", "/nowhere"):
        headers = booth.ask("GET", path)[2]
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "style=" not in html
    assert "onclick" not in html


def test_a_foreign_host_name_is_turned_away(booth: Booth) -> None:
    """DNS rebinding: the name leads here, the page is not served under it."""
    for host in ("evil.example", f"evil.example:{booth.port}", "127.0.0.1", ""):
        assert booth.ask("GET", "/state", Host=host)[0] == 421
    assert booth.ask("GET", "/state", Host=f"localhost:{booth.port}")[0] == 200


def test_without_the_pages_session_nothing_is_told_and_nothing_taken(booth: Booth) -> None:
    booth.cookie = ""
    assert booth.ask("GET", "/state")[0] == 409
    assert booth.ask("GET", "/events")[0] == 409
    assert booth.say("/crossing")[0] == 409


def test_a_form_without_the_sessions_token_changes_nothing(booth: Booth) -> None:
    before = booth.post.state
    for token in ("", "0" * 64, "ü"):
        booth.csrf = token
        status, answer = booth.say("/crossing", conveyance="UN 1")
        assert status == 409
        assert "choose again" in answer["why"]
    assert booth.post.state == before


def test_a_token_of_another_session_is_refused(booth: Booth) -> None:
    token = booth.csrf
    booth.cookie = ""
    booth.open()
    assert booth.say("/crossing")[0] == 200
    booth.csrf = token
    assert booth.say("/crossing")[0] == 409


@pytest.mark.parametrize("made_up", ["a" * 64, "a" * 128, "0" * 127])
def test_a_session_of_the_callers_own_choosing_is_none(booth: Booth, made_up: str) -> None:
    booth.cookie = f"landlink={made_up}"
    status, _ = booth.say("/crossing")
    assert status == 409
    _, html, headers = booth.ask("GET", "/")
    given = headers["set-cookie"].partition(";")[0]
    assert made_up not in given
    assert made_up not in html
    assert booth.csrf not in html


@pytest.mark.parametrize("path", ["/state", "/events"])
def test_a_page_from_before_a_restart_reads_on_with_a_session_of_this_run(booth: Booth, path: str) -> None:
    booth.cookie = "landlink=" + PageGate(hosts=frozenset(), key=bytes(31) + b"\1").new_session()
    connection = http.client.HTTPConnection("127.0.0.1", booth.port, timeout=WAIT_S)
    connection.request("GET", path, headers={"Cookie": booth.cookie})
    answer = connection.getresponse()
    booth.cookie = answer.headers["set-cookie"].partition(";")[0]
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    booth.csrf = (json.loads(answer.read()) if path == "/state" else next_event(answer))["csrf"]
    assert booth.say("/crossing")[0] == 200
    connection.close()


@pytest.mark.parametrize(
    "said",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
    ],
)
def test_a_form_that_another_page_sent_changes_nothing(booth: Booth, said: dict[str, str]) -> None:
    """Though it has the cookie and the token."""
    before = booth.post.state
    headers = {name: value.format(port=booth.port) for name, value in said.items()}
    status, answer, _ = booth.ask("POST", "/crossing", urlencode({"csrf": booth.csrf}), **FORM, **headers)
    assert (status, answer["why"]) == (409, "Only the page itself may say this.")
    assert booth.post.state == before


def test_the_pages_own_forms_pass_as_a_browser_sends_them(booth: Booth) -> None:
    own = {"Sec_Fetch_Site": "same-origin", "Origin": f"http://127.0.0.1:{booth.port}"}
    assert booth.ask("POST", "/crossing", urlencode({"csrf": booth.csrf}), **FORM, **own)[0] == 200


def test_one_page_more_than_are_served_ends_the_oldest_not_the_newest(booth: Booth) -> None:
    pages = [http.client.HTTPConnection("127.0.0.1", booth.port, timeout=WAIT_S) for _ in range(STREAMS_MAX + 1)]
    streams: list[http.client.HTTPResponse] = []
    for page in pages:
        page.request("GET", "/events", headers={"Cookie": booth.cookie})
        streams.append(page.getresponse())
        assert next_event(streams[-1])["phase"] == "ready"
    while streams[0].readline():
        pass
    booth.scanner.lay(*passport("PA1234567"))
    for stream in streams[1:]:
        while next_event(stream).get("phase") != "result":
            pass
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("csrf=" + "x" * 20_000, "application/x-www-form-urlencoded"),
        ("&".join(f"f{number}=1" for number in range(40)), "application/x-www-form-urlencoded"),
        ("csrf=1&csrf=2", "application/x-www-form-urlencoded"),
        ("{}", "application/json"),
        ("%ff=1", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_of_ours_is_refused_by_its_bound(booth: Booth, body: str, kind: str) -> None:
    assert booth.ask("POST", "/crossing", body, Content_Type=kind)[0] == 400


def test_a_page_on_every_network_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="every network"):
        allowed_hosts("0.0.0.0", 8080)


def test_state_tells_a_program_what_the_officer_sees(booth: Booth) -> None:
    state = booth.lay(*passport(LISTED))
    assert state["phase"] == "result"
    assert state["shown"]["of"] == booth.post.state.shown
    assert (state["shown"]["refers"], state["shown"]["lamp"], state["shown"]["recorded"]) == (True, "amber", True)
    assert state["shown"]["reasons"][0]["code"] == "listed_document"
    assert [case["of"] for case in state["cases"]] == [state["shown"]["of"]]
    assert state["lists"][0]["dated"] == "2026-11-03"
    assert state["not_sent"] == 3
    assert state["csrf"] == booth.csrf


def test_state_never_says_clear_for_what_has_no_record(booth: Booth) -> None:
    booth.post.recorder.trouble = "full"
    shown = booth.lay(*passport("PA1234567"))["shown"]
    assert (shown["decision"], shown["recorded"], shown["lamp"]) == ("not recorded", False, "red")
    assert shown["words"][0] == "NOT RECORDED"


def test_a_chosen_outcome_is_recorded_with_its_note_and_frees_the_screen(booth: Booth) -> None:
    of = booth.lay(*passport(LISTED))["shown"]["of"]
    grounds = {"note": "to the police, 14:05", "legal_basis": "Border act, article 12"}
    assert booth.say("/outcome", of=of, outcome="handed over", **grounds) == (200, {"ok": True})
    said = booth.post.recorder.outcomes[of]
    assert (said.outcome, said.implied, said.note) == (OutcomeKind.HANDED_OVER, False, "to the police, 14:05")
    assert said.legal_basis == "Border act, article 12"
    assert booth.state()["phase"] == "ready"
    status, answer = booth.say("/outcome", of=of, outcome="passed")
    assert (status, "already has an outcome" in answer["why"]) == (409, True)


@pytest.mark.parametrize(
    ("fields", "field_named"),
    [
        ({"of": "1" * 32, "outcome": "released"}, "outcome"),
        ({"of": "1" * 32, "outcome": "passed", "note": "x" * 2_001}, "note"),
        ({"of": "1" * 32, "outcome": "passed", "legal_basis": "x" * 257}, "legal_basis"),
    ],
)
def test_an_outcome_that_cannot_be_taken_names_its_box(booth: Booth, fields: dict[str, str], field_named: str) -> None:
    status, answer = booth.say("/outcome", **fields)
    assert (status, answer["field"]) == (422, field_named)


TYPED = {
    "document_kind": "P",
    "issuing_state": "lao",
    "document_number": "pa 12-34567",
    "primary_identifier": "Sisouk",
    "secondary_identifier": "Malavanh",
    "date_of_birth": "4.3.1987",
    "date_of_expiry": "30.6.2031",
}


def test_a_typed_page_is_judged_recorded_and_shown_like_a_read_one(booth: Booth) -> None:
    assert booth.say("/typed", **TYPED)[0] == 200
    shown = booth.state()["shown"]
    assert shown["lamp"] == "green"
    assert shown["document"]["typed"]
    assert ["Born", "4 March 1987"] in shown["document"]["facts"]
    assert ["Number", "PA1234567"] in shown["document"]["facts"]


def test_a_look_up_answers_in_its_own_form_and_shows_nothing_to_the_lane(booth: Booth) -> None:
    before = booth.state()
    status, answer = booth.say("/lookup", **TYPED | {"document_number": LISTED})
    assert (status, answer["ok"]) == (200, True)
    assert "The look-up is recorded." in answer["found"]
    assert "Nothing found" not in answer["found"]
    after = booth.state()
    assert (after["shown"], after["cases"]) == (before["shown"], before["cases"])
    status, answer = booth.say("/lookup", **TYPED | {"date_of_birth": "33.13.1987"})
    assert (status, answer["field"]) == (422, "date_of_birth")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("document_kind", "Z"),
        ("issuing_state", "LA0S"),
        ("document_number", "PA-1234567?"),
        ("primary_identifier", "A" * 81),
        ("date_of_birth", "33.13.1987"),
        ("date_of_expiry", "next year"),
    ],
)
def test_a_typed_page_with_a_mistake_names_the_box_and_records_nothing(booth: Booth, name: str, value: str) -> None:
    status, answer = booth.say("/typed", **TYPED | {name: value})
    assert (status, answer["field"]) == (422, name)
    assert value not in answer["why"]
    assert booth.post.recorder.records == []


def test_a_typed_page_of_the_same_person_answers_the_page_that_could_not_be_read(booth: Booth) -> None:
    booth.lay()
    assert booth.say("/typed", **TYPED, belongs="document")[0] == 200
    state = booth.state()
    assert state["shown"]["lamp"] == "green"
    assert len(state["cases"]) == 1


def test_details_open_for_the_officer_and_hide_again(booth: Booth) -> None:
    of = booth.lay(*passport(LISTED))["shown"]["of"]
    booth.say("/details", show="1")
    assert booth.state()["opened"]["of"] == of
    booth.say("/details", show="0")
    assert booth.state()["opened"] is None


def test_events_bring_the_changed_parts_and_the_sessions_token(booth: Booth) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", booth.port, timeout=WAIT_S)
    connection.request("GET", "/events", headers={"Cookie": booth.cookie})
    stream = connection.getresponse()
    assert stream.headers.get_content_type() == "text/event-stream"
    first = next_event(stream)
    assert (first["phase"], first["csrf"]) == ("ready", booth.csrf)
    booth.scanner.lay(*passport("PA1234567"))
    while (news := next_event(stream)).get("phase") != "result":
        assert "stage" in news
    assert "Nothing found" in news["stage"]
    assert "csrf" not in news, "only what has changed"
    connection.close()


def next_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    while not (line := stream.readline()).startswith(b"data: "):
        assert line, "the stream ended"
    return dict(json.loads(line[6:]))


def test_documents_are_taken_in_the_order_they_were_laid(booth: Booth) -> None:
    numbers = [f"PA{number:07}" for number in range(20)]
    for number in numbers:
        booth.scanner.lay(*passport(number))
    booth.until(lambda: len(booth.post.recorder.screenings) == 20)
    laid = [record.body.document.document_number for record in booth.post.recorder.screenings]
    assert laid == numbers


def test_garbage_from_the_scanner_is_said_and_makes_no_person(booth: Booth) -> None:
    booth.scanner.deliver(Noise(count=12, why="no frame"))
    booth.until(lambda: bool(booth.post.board.latest.notice))
    assert "leave it still" in booth.state()["notice"]
    assert booth.post.recorder.records == []


def test_the_start_button_passes_who_has_nothing_found(booth: Booth) -> None:
    of = booth.lay(*passport("PA1234567"))["shown"]["of"]
    assert booth.post.panel.pressed is not None
    booth.post.panel.pressed(Button.START)
    booth.until(lambda: booth.post.panel.lamps[-1] is not Lamp.GREEN)
    booth.until(lambda: of in booth.post.recorder.outcomes)


# --- who holds connections open keeps nobody out ----------------------------------------------------------------------

QUESTION = b"GET /static/page.css HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"


def connections(booth: Booth, count: int, peer: str = "127.0.0.1") -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", booth.port), WAIT_S, (peer, 0)) for _ in range(count)]


def test_more_idle_connections_than_the_page_takes_keep_no_officer_out(booth: Booth) -> None:
    stream = http.client.HTTPConnection("127.0.0.1", booth.port, timeout=WAIT_S)
    stream.request("GET", "/events", headers={"Cookie": booth.cookie})
    events = stream.getresponse()
    next_event(events)
    held = connections(booth, CONNECTIONS_MAX + 6)
    assert [booth.ask("GET", "/state")[0] for _ in range(10)] == [200] * 10
    assert booth.say("/crossing")[0] == 200
    booth.scanner.lay(*passport("PA1234567"))
    while next_event(events).get("phase") != "result":
        pass  # the open page was not the one that had to go
    stream.close()
    for one in held:
        one.close()


def test_a_neighbour_with_many_connections_loses_its_own(booth: Booth) -> None:
    """Not those of the officer, though they are older, and idle as well."""
    officer = connections(booth, 1)[0]
    neighbours = connections(booth, CONNECTIONS_MAX + 20, "127.0.0.2")
    for one in (officer, neighbours[-1]):
        one.sendall(QUESTION % booth.port)
        assert one.recv(64).startswith(b"HTTP/1.1 200")
    for one in (officer, *neighbours):
        one.close()


def test_who_says_nothing_trickles_or_stops_in_the_middle_is_cut_off(booth: Booth) -> None:
    """After an answer too: empty lines are no request."""
    form = b"POST /crossing HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\nContent-Length: 900\r\n" % (
        booth.port,
        booth.cookie.encode(),
    )
    begun = (b"", b"GET /state HTTP/1.1\r\nX: ", QUESTION % booth.port, form + b"\r\ncsrf=")
    more = (b"", b"x", b"\r\n", b"1")
    held = dict(zip(connections(booth, len(begun)), more, strict=True))
    for one, first in zip(held, begun, strict=True):
        one.sendall(first)
        one.settimeout(0.2)
    deadline = time.monotonic() + BEGIN_S + BODY_S + WAIT_S
    while held:
        assert time.monotonic() < deadline, f"{len(held)} are still open"
        held = {one: byte for one, byte in held.items() if not ended(one, byte)}


def ended(one: socket.socket, byte: bytes) -> bool:
    """Take what comes for a moment, and send one more byte."""
    try:
        if one.recv(65_536):
            return False
    except TimeoutError:
        try:
            one.sendall(byte)
        except ConnectionError:
            return True
        return False
    except ConnectionError:
        return True
    one.close()
    return True
