"""landlink-hq's verbs of the duty desk: requests, answer, voice."""

import argparse
import getpass
import time
from typing import Final

import msgspec

from appliance.command import Verbs, whole_number
from appliance.errors import Misuse
from appliance.formats.downlink import CaseAnswer
from appliance.formats.voice import Verdict
from appliance.model import Word
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.opened.reading import opened_logs
from provisioning.authority.downlink import Down, Said
from provisioning.authority.home import Home
from provisioning.authority.roster import enrolled, read_roster
from provisioning.command import json_line, now_ms, say
from provisioning.custody.act import Did
from provisioning.custody.log import Use, operator
from provisioning.duty.answering import answer, find_request, voice
from provisioning.duty.requests import VOICE_CODE, CaseRequest, ToldBefore, requests_of, told_before

FORMER_MAX: Final = 99
REQUESTS: Final = """\
What boxes ask: possible matches that wait for headquarters, oldest first, from the records that were pulled. Those that
were answered in writing are shown with --all. The lines name travellers: they are for the duty desk alone.

Example: landlink-hq requests          next: landlink-hq answer CASE --confirmed|--not-confirmed --words TEXT --by NAME
"""

ANSWER: Final = """\
Answer a request, signed and sealed to the box that asked. It goes out when the box next has a link, or on a stick
(landlink-hq stick). CASE is the code of the case as `requests` shows it, or the identifier of its record.
An answer that is the opposite of an earlier one is refused without --again.

Example: landlink-hq answer K7Q2 --not-confirmed --words "Other date of birth; let the person go on." --by "K. Sisouk"
"""

VOICE: Final = """\
The box has no link, and an officer reads a case's code out over the telephone: print the code to read back. The box
believes no other. It is noted before it is printed, and `requests` shows the case until the written answer follows.
Ask back: who calls, from which post, and does the number on the order ring there?
After `rotate voice-master` a box that its new key has not reached takes the code for a wrong one: then with --former 1.

Example: landlink-hq voice --box LA-0001 --case K7Q2-M9TX --confirmed --by "K. Sisouk"
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the duty desk's verbs to landlink-hq."""
    verb = verbs.add_parser("requests", help="what boxes ask to confirm", description=REQUESTS)
    verb.add_argument("--box", metavar="SERIAL", help="only this box (all)")
    verb.add_argument("--all", action="store_true", help="also those that were answered, or are over")
    verb.add_argument("--json", action="store_true", help="for scripts")
    verb.set_defaults(run=run_requests)
    verb = verbs.add_parser("answer", help="answer a request in writing", description=ANSWER)
    verb.add_argument("case", metavar="CASE", help="code of the case, or identifier of its record")
    verb.add_argument("--box", metavar="SERIAL", help="only this box (all)")
    _add_verdict(verb)
    verb.add_argument("--words", required=True, metavar="TEXT", help="for the officer: what was compared, what to do")
    verb.add_argument("--by", required=True, metavar="NAME", help="who answers")
    verb.set_defaults(run=run_answer)
    verb = verbs.add_parser("voice", help="the code to read out over a telephone", description=VOICE)
    verb.add_argument("--box", required=True, metavar="SERIAL", help="where the officer stands")
    verb.add_argument("--case", required=True, metavar="CODE", help="as the officer reads it out")
    _add_verdict(verb)
    verb.add_argument("--by", default=getpass.getuser(), metavar="NAME", help="who reads it out (%(default)s)")
    count = whole_number("number of keys before the present one", least=0, most=FORMER_MAX)
    verb.add_argument("--former", type=count, default=0, metavar="N", help="by the key so many before (%(default)s)")
    verb.set_defaults(run=run_voice)


def _add_verdict(verb: argparse.ArgumentParser) -> None:
    verdict = verb.add_mutually_exclusive_group(required=True)
    for option, value in (("--confirmed", Verdict.CONFIRMED), ("--not-confirmed", Verdict.NOT_CONFIRMED)):
        verdict.add_argument(option, dest="verdict", action="store_const", const=value)
    verb.add_argument("--again", action="store_true", help="although the answer was the other one before")


def _look(home: Home, serial: str | None) -> tuple[list[CaseRequest], list[ToldBefore]]:
    """Every request that has arrived, the oldest first, and codes that were read out for none of them."""
    requests: list[CaseRequest] = []
    said: dict[str, tuple[Said, ...]] = {}
    roster = read_roster(home)
    for opened in opened_logs(home, record_identity(home), serial, Use(Did.ASKED, operator(None))):
        said[opened.serial] = Down(home, enrolled(roster, opened.serial)).said()
        requests.extend(requests_of(opened.serial, opened.lines, said[opened.serial]))
    told = [before for box, lines in said.items() for before in told_before(box, requests, lines)]
    return sorted(requests, key=lambda request: request.since), told


def run_requests(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    requests, told = _look(Home.open(arguments.home), arguments.box)
    shown = [request for request in requests if arguments.all or request.owed]
    if arguments.json:
        print(json_line([*shown, *told]))
        return 0
    for request in shown:
        _print_request(request)
    for before in told:
        verdict, at = before.said.verdict, _moment(before.said.at_ms)
        say(f"{before.case}  box {before.serial}: told by telephone on {at}: {verdict}; its request has not arrived")
    if not shown and not told:
        print("No box waits for an answer.")
    return 0


def _print_request(request: CaseRequest) -> None:
    say(f"{request.case}  box {request.serial} entry {request.index}  since {request.since[:16].replace('T', ' ')} UTC")
    if request.document is not None:
        document = request.document
        name = f"{document.primary_identifier} {document.secondary_identifier}".strip()
        born = document.date_of_birth
        birth = "" if born is None else f", born {born.full.isoformat() if born.full else born.raw}"
        say(f"  {document.issuing_state} {document.document_number}  {name}{birth}")
    for entry in request.entries:
        say(f"  {entry.list_name} list {entry.list_version}: {entry.source} {entry.entry} ({entry.band})")
    if request.not_to:
        say(f"  DO NOT ask {request.not_to}: the person says to seek asylum from it")
    for one in (*request.told, *request.written):
        how = "told by telephone" if one.kind == VOICE_CODE else "answered in writing"
        say(f"  {how} on {_moment(one.at_ms)} by {one.by}: {one.verdict}")
    if request.told and not request.written:
        say("  the written answer must follow: landlink-hq answer")
    elif not request.written:
        say(f"  not answered; at the box: {request.stage}")


def _moment(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at_ms // 1000))


def run_answer(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    requests, _ = _look(home, arguments.box)
    request = find_request(arguments.case, requests)
    fields = {"of": request.of, "verdict": arguments.verdict, "words": arguments.words, "by": arguments.by}
    try:
        message = msgspec.convert(fields, CaseAnswer)
    except msgspec.ValidationError as error:
        raise Misuse(str(error)) from None
    sealed = answer(home, request, message, again=arguments.again, at_ms=now_ms())
    say(f"Case {request.case} of box {request.serial} is answered: {arguments.verdict} ({sealed.name}).")
    if request.over:
        print("The box has said meanwhile what was done; the answer goes into the records of the case all the same.")
    print("It goes out with the next contact. A box without a link: landlink-hq stick FOLDER.")
    return 0


def run_voice(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    try:
        by = msgspec.convert(arguments.by, Word)
    except msgspec.ValidationError as error:
        raise Misuse(f"--by: {error}") from None
    said = Said(kind=VOICE_CODE, at_ms=now_ms(), verdict=arguments.verdict, by=by)
    code = voice(home, arguments.box, arguments.case, said, again=arguments.again, former=arguments.former)
    say(f"Read out: {code}   ({arguments.verdict}, case {arguments.case}, box {arguments.box})")
    print("Characters one by one; 0 is zero and 1 is one, there is no O, I, L or U.")
    print("The written answer must follow: landlink-hq answer, as soon as the request has arrived.")
    return 0
