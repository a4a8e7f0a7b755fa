"""A zone of which a part is not to be seen - behind glare, worn off, out of the picture - and what is left of it.

Where eight of 44 characters lie in glare, 36 are left, which is another format's number. So the characters that are
there are laid into each format at each place, and the one is believed where check digits agree: of those that are
wholly seen two must, and what stands around them must be letters and digits where the format has them; or one, where
all that is seen is what can stand there, the holder's sex among it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from appliance.ocr.decoding import Decoded
from appliance.ocr.mending import WIDTHS, run_of_characters
from appliance.ocr.network import Floats, Grey
from appliance.ocr.zones import Zone
from appliance.parse.characters import FILLER
from appliance.parse.checks import compare, resolve_checks
from appliance.parse.codes import state_codes
from appliance.parse.layouts import layout_of

THERE_MIN: Final = 1.0
"""Nats for a character being there at all: of those that are there on drawn pages 3.7 and more, in glare under -2."""
SURE: Final = 0.85
VOUCHED_MIN: Final = 2
"""Check digits that agree with what was seen surely, for a zone in doubt to count as read in part."""
MISFITS_MAX: Final = 1
"""Letters where the format has digits, and digits where it has letters."""
LEGIBLE: Final = 0.75
"""Share of sure characters, of those that are seen, from which lines that begin as a document's do are told anyway."""
SEXES: Final = "MFX"
CODES: Final = {44: "PV", 36: "IACV", 30: "IAC"}
"""First letters of document codes, by characters a line (Doc 9303-4 to 7)."""
EDGE: Final = 0.5
"""How sure a character may be that stands beside what is not to be seen."""
SEEN_TWICE: Final = 1
"""Characters by which one at the edge of what is seen seems to go on."""
ROOM: Final = 1.5
"""Characters that there may seem to be beyond a format's."""


def zones_around(image: Grey, zone: Zone) -> Iterator[tuple[Zone, int]]:
    """The zone as long as each format's lines, what is seen in the middle; and how many characters a line has then."""
    run = run_of_characters(image, zone)
    if run is None:
        return
    middle = (run.start + run.end) / 2
    for width in WIDTHS:
        half = width * run.pitch / 2
        if (width == 30) == (len(zone.lines) == 3) and run.end - run.start < 2 * half + ROOM * run.pitch:
            yield Zone(tuple(replace(line, start=middle - half, end=middle + half) for line in zone.lines)), width


def in_place(decoded: Decoded, line_count: int) -> Decoded:
    """What is seen, moved along its lines to where most check digits agree; unmoved where none agree more."""
    unseen = decoded.confidences.reshape(line_count, -1) == 0
    seen = np.flatnonzero(~unseen.all(axis=0))
    if not len(seen):
        return decoded
    moves = sorted(range(-int(seen[0]) - SEEN_TWICE, unseen.shape[1] - int(seen[-1]) + SEEN_TWICE), key=abs)
    moved = (_moved(decoded, line_count, by) for by in moves)
    return max(moved, key=lambda each: (vouched(each, line_count), _fits(each, line_count)))


def _moved(decoded: Decoded, line_count: int, by: int) -> Decoded:
    """What falls off at one end is gone, what comes in at the other is unseen."""
    sure = np.roll(decoded.confidences.reshape(line_count, -1), by, axis=1)
    width = sure.shape[1]
    sure[:, slice(0, by) if by > 0 else slice(width + by, width)] = 0
    lines = (decoded.text[at : at + width] for at in range(0, len(decoded.text), width))
    filler = FILLER * abs(by)
    text = "".join(filler + line[: width - by] if by > 0 else line[-by:] + filler for line in lines)
    layout = layout_of(line_count, width, text[:5])
    return replace(decoded, layout=layout, read=text, text=text, confidences=sure.ravel())


def seen_of(decoded: Decoded, there: Floats) -> Decoded:
    """The same; or as it was read, with a filler without any confidence for each character that is not to be seen."""
    unseen = there < THERE_MIN
    if not unseen.any():
        return decoded
    text = "".join(FILLER if gone else char for char, gone in zip(decoded.read, unseen, strict=True))
    sure = decoded.confidences.copy()
    sure[unseen] = 0
    return replace(decoded, read=text, text=text, confidences=sure, holds=False)


def doubt_edges(decoded: Decoded, line_count: int) -> Decoded:
    """The same, and no character surer than EDGE beside one that is not to be seen: it may be half of one."""
    sure = decoded.confidences.reshape(line_count, -1)
    unseen = sure == 0
    beside = np.zeros_like(unseen)
    beside[:, 1:] |= unseen[:, :-1]
    beside[:, :-1] |= unseen[:, 1:]
    return replace(decoded, confidences=np.where(beside, np.minimum(sure, EDGE), sure).ravel())


def vouched(decoded: Decoded, line_count: int) -> int:
    """How many check digits agree with characters all of which were seen surely; fillers vouch for nothing."""
    layout = layout_of(line_count, len(decoded.text) // line_count, decoded.text[:5])
    if layout is None:
        return 0
    places = zip(decoded.text, layout.position_classes, decoded.confidences, strict=True)
    if sum(char not in allowed.value for char, allowed, sure in places if sure >= SURE) > MISFITS_MAX:
        return 0
    return sum(
        compare(decoded.text, check).holds
        and any(decoded.text[place] != FILLER for place in check.covers)
        and float(decoded.confidences[[*check.covers, check.at]].min()) >= SURE
        for check in resolve_checks(decoded.text, layout)
    )


def is_legible(decoded: Decoded, line_count: int) -> bool:
    """Whether lines in doubt are worth telling: what was made of smudges, or of a part as if it were all, is not."""
    share = (decoded.confidences >= SURE).sum() / max(1, (decoded.confidences > 0).sum())
    begins = decoded.text[0] in "PVIAC" and decoded.text[2:5].rstrip(FILLER) in state_codes()
    checked = vouched(decoded, line_count)
    in_part = checked >= VOUCHED_MIN or (checked > 0 and _fits(decoded, line_count))
    return in_part or bool(share >= LEGIBLE and begins)


def trust(decoded: Decoded, line_count: int) -> tuple[int, bool, bool]:
    """What speaks for it: check digits, all that is seen, and a document code that such lines usually have."""
    usual = decoded.text[0] in CODES.get(len(decoded.text) // line_count, "")
    return vouched(decoded, line_count), _fits(decoded, line_count), usual


def _fits(decoded: Decoded, line_count: int) -> bool:
    """Whether the holder's sex is seen where the format has it, and nothing is seen where it cannot stand."""
    layout = layout_of(line_count, len(decoded.text) // line_count, decoded.text[:5])
    if layout is None or decoded.text[layout.sex] not in SEXES or not decoded.confidences[layout.sex]:
        return False
    places = zip(decoded.text, layout.position_classes, decoded.confidences, strict=True)
    return all(char in allowed.value for char, allowed, sure in places if sure)


def percent_of(confidences: Iterable[float]) -> bytes:
    """How sure each character is in hundredths; 0 is for what is not to be seen alone."""
    return bytes(max(1, int(100 * sure)) if sure else 0 for sure in confidences)


def unseen_words(count: int) -> str:
    """That so many characters are not to be seen, in words; "" for none."""
    if not count:
        return ""
    return "One character cannot be seen." if count == 1 else f"{count} characters cannot be seen."
