"""Cases with a possible match as the recorder keeps them, of holders and entries that nobody is."""

from appliance.booth.board import Device, Snapshot
from appliance.booth.state import OpenCase, Phase, State
from appliance.clock import Instant
from appliance.formats.wire import Case
from appliance.judged import Band, FieldVerdict, Hit, WordPair
from appliance.parse.mrz import parse_mrz
from appliance.recorded import Crossing, Direction, DocumentBasis, Person, Stage
from drivers.api import DeviceState
from tests.small_post import LIST_DAY, NOW, passport

OF = "5a" * 16
RECORD = "5b" * 16
"""Of the newest step."""


def person_hit(notice: str = "red", band: Band = Band.STRONG) -> Hit:
    """An entry of a persons list with every verdict that a word and a field can have."""
    return Hit(
        list_name="persons",
        list_version=3,
        list_date=LIST_DAY,
        entry="QDx.901" if band is not Band.WEAK else "QDx.902",
        source="UN Security Council",
        band=band,
        matcher="synthetic",
        fields=(
            FieldVerdict(
                field="name",
                traveller="PHOMMASAK KHAMPHENG SOMCHAI V LUANGPRA BOUN MY",
                listed="KHAMPHENG PHOMMASACK VILAY LUANGPRABANG BOUNMY PHENG",
                verdict="alike",
                words=(
                    WordPair(traveller="PHOMMASAK", listed="PHOMMASACK", verdict="alike"),
                    WordPair(traveller="KHAMPHENG", listed="KHAMPHENG", verdict="equal"),
                    WordPair(traveller="LUANGPRA", listed="LUANGPRABANG", verdict="cut off"),
                    WordPair(traveller="BOUN MY", listed="BOUNMY", verdict="written as one"),
                    WordPair(traveller="V", listed="VILAY", verdict="initial"),
                    WordPair(traveller="SOMCHAI", listed="", verdict="missing"),
                    WordPair(traveller="", listed="PHENG", verdict="missing"),
                ),
            ),
            FieldVerdict(field="date_of_birth", traveller="1978-04-12", listed="1978-04-12", verdict="equal"),
            FieldVerdict(field="nationality", traveller="LAO", listed="", verdict="absent"),
            FieldVerdict(field="sex", traveller="F", listed="M", verdict="contradicts"),
        ),
        instruction="Telephone before anything else. Nobody is held for this entry alone.",
        notice=notice,
        revision="0123456789abcdef",
    )


def document_hit(band: Band = Band.EXACT_DOCUMENT) -> Hit:
    """An entry of a documents list."""
    return Hit(
        list_name="documents",
        list_version=3,
        list_date=LIST_DAY,
        entry="LAO-2026-00117",
        source="stolen and lost documents",
        band=band,
        matcher="synthetic",
        fields=(
            FieldVerdict(
                field="document_number", traveller="LAO P PA0047113", listed="LAO P PA0047113", verdict="equal"
            ),
        ),
        instruction="Reported stolen. Keep the document in your hands.",
    )


def case(*hits: Hit, stage: Stage = Stage.CANDIDATE, asked: Instant | None = None, seeks_asylum: bool = False) -> Case:
    """A case with these hits at this stage, laid half an hour before NOW."""
    return Case(
        of=OF,
        crossing=Crossing(id="5c" * 16, direction=Direction.ENTRY, lane="1"),
        person=Person(id="5d" * 16, number=1, document_basis=DocumentBasis.PASSPORT),
        refers=True,
        title="PHOMMASAK KHAMPHENG \u00b7 LAO PA1234567",
        reasons=("Possible match. Not confirmed. A person on a list has a name like this (UN Security Council).",),
        next_step="Compare the details.",
        opened_ms=NOW.wall_ms - 30 * 60_000,
        document=parse_mrz(passport("PA1234567", "PHOMMASAK", "KHAMPHENG"), NOW),
        hits=hits,
        stage=stage,
        last=RECORD,
        moved_ms=NOW.wall_ms - 20 * 60_000,
        asked=asked,
        seeks_asylum=seeks_asylum,
    )


def asked_ago(minutes: int) -> Instant:
    """When headquarters was asked, in this boot."""
    return Instant(
        wall_ms=NOW.wall_ms - minutes * 60_000,
        grade=NOW.grade,
        lower_bound_ms=NOW.lower_bound_ms,
        boot_id=NOW.boot_id,
        boot_ms=max(0, NOW.boot_ms - minutes * 60_000),
    )


def shown(*cases: Case, details: str | None = OF, looked: frozenset[str] = frozenset(), badge: str = "") -> Snapshot:
    """A lane in which these cases wait; the details of one are open."""
    state = State(
        direction=Direction.ENTRY,
        lane="1",
        phase=Phase.READY,
        cases=tuple(OpenCase(case=each) for each in cases),
        details=details,
        looked=looked,
        badge=badge,
    )
    return Snapshot(state=state, met=True, devices={"scanner": Device(state=DeviceState.READY, why="")})
