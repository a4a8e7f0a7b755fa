"""What the duty desk says of a possible match: in writing, or by a code over a telephone when a box has no link.

Either is kept before it goes out, and neither contradicts an earlier one unless the person at the desk says so.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from appliance.errors import Refused
from appliance.formats.downlink import CaseAnswer
from appliance.formats.voice import CASE_SYMBOLS, Verdict, answer_code, read_code, spoken
from provisioning.authority.box_keys import voice_key
from provisioning.authority.downlink import Down, Said
from provisioning.authority.home import Home
from provisioning.authority.roster import enrolled, read_roster
from provisioning.duty.requests import CASE_ANSWER, VOICE_CODE, CaseRequest

RECORD_ID: Final = re.compile(r"[0-9a-f]{32}")


def find_request(named: str, requests: Sequence[CaseRequest]) -> CaseRequest:
    """The request that somebody means by a record's identifier or by the code of a case.

    Raises:
        Refused: There is none, or more than one.
        Malformed: It is neither; of a code that was misheard, what is wrong with it.
    """
    if RECORD_ID.fullmatch(named):
        found = [request for request in requests if request.of == named]
    else:
        meant = read_code(named, CASE_SYMBOLS)
        found = [request for request in requests if read_code(request.case, CASE_SYMBOLS) == meant]
    if not found:
        raise Refused(
            f"no box asks about {named[:64]}, as far as records have arrived; next: landlink-hq pull. "
            "If the box has no link: landlink-hq voice"
        )
    if len(found) > 1:
        boxes = ", ".join(sorted({request.serial for request in found}))
        raise Refused(f"{named} stands for more than one case (boxes {boxes}); name the box with --box, or the record")
    return found[0]


def answer(home: Home, request: CaseRequest, message: CaseAnswer, *, again: bool, at_ms: int) -> Path:
    """Send the written answer to a request; the sealed file.

    Args:
        home: Headquarters.
        request: From `find_request`.
        message: The answer to it.
        again: Also when the answer was the other one before.
        at_ms: When, milliseconds since 1970.

    Raises:
        Refused: It was answered the other way; the box is revoked; the words are too many.
        ConfigError, StorageFull, StorageFault: Nothing was sent.
    """
    assert message.of == request.of, "an answer is to its request"
    down = Down(home, enrolled(read_roster(home), request.serial))
    with down.alone():
        _check(down.said(), request.case, message.verdict, again=again)
        return down.say(message, at_ms=at_ms, case=request.case)


def voice(home: Home, serial: str, case: str, said: Said, *, again: bool, former: int = 0) -> str:
    """The code to read out over the telephone, kept before anybody hears it.

    Args:
        home: Headquarters.
        serial: The box that the officer stands at.
        case: The code that the officer reads out.
        said: What is said, by whom and when.
        again: Also when the answer was the other one before.
        former: By the key so many before the present one, for a box that the newer ones have not reached.

    Raises:
        Malformed: The officer's code was misheard.
        Refused: As `answer`, no such box is enrolled, or there is no such key.
        ConfigError, StorageFull, StorageFault: Nothing may be read out.
    """
    assert said.kind == VOICE_CODE, "nothing else is read out"
    assert said.verdict is not None, "a code says one thing or the other"
    spoken_case = spoken(read_code(case, CASE_SYMBOLS))
    down = Down(home, enrolled(read_roster(home), serial))
    code = answer_code(voice_key(home, down.name, former=former), box=down.name, case=spoken_case, verdict=said.verdict)
    with down.alone():
        _check(down.said(), spoken_case, said.verdict, again=again)
        down.note(msgspec.structs.replace(said, case=spoken_case))
    return code


def _check(said: Iterable[Said], case: str, verdict: Verdict, *, again: bool) -> None:
    """Raises Refused when headquarters said the opposite of this case before."""
    for one in said:
        if one.kind in (CASE_ANSWER, VOICE_CODE) and one.case == case and one.verdict is not verdict and not again:
            how = "by telephone" if one.kind == VOICE_CODE else "in writing"
            raise Refused(
                f"case {case} was answered {how} before: {one.verdict}. If that was wrong, say so with --again; "
                "the box shows both answers"
            )
