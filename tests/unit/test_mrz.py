"""The zone's edges that no specimen shows: long numbers, names, codes, shapes, repair. Values by hand from Doc 9303."""

import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.model import RepairReason, TravelDocument
from appliance.parse.codes import CodeKind, state_codes
from appliance.parse.mrz import parse_mrz

NOW = Instant(
    wall_ms=1_795_219_200_000, grade=Grade.NETWORK, lower_bound_ms=1_795_000_000_000, boot_id="0" * 32, boot_ms=1
)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
VISA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")


def put(lines: tuple[str, ...], line: int, column: int, text: str) -> tuple[str, ...]:
    """The lines with `text` written over one place."""
    changed = list(lines)
    changed[line] = changed[line][:column] + text + changed[line][column + len(text) :]
    return tuple(changed)


def named(field: str) -> TravelDocument:
    """A TD3 with this name field."""
    return parse_mrz(put(TD3, 0, 5, field.ljust(39, "<")), NOW)


def test_a_mononym_has_no_secondary_identifier() -> None:
    document = named("ARKFREITH")
    assert (document.primary_identifier, document.secondary_identifier) == ("ARKFREITH", "")


def test_a_second_pair_of_fillers_belongs_to_the_secondary_identifier() -> None:
    document = named("VAN<DER<MUSTER<<ANNA<<MARIA")
    assert (document.primary_identifier, document.secondary_identifier) == ("VAN DER MUSTER", "ANNA MARIA")


def test_a_full_name_field_may_be_truncated_and_one_filler_less_is_not() -> None:
    full = "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"
    assert len(full) == 39
    assert named(full).name_truncated
    assert not named(full[:38]).name_truncated


def test_optional_data_after_a_long_number_is_kept_apart_from_it() -> None:
    # D23145890734 with check digit 9, its filler, then optional data; the composite is not the question here.
    document = parse_mrz(put(put(TD1, 0, 5, "D23145890<7349<AB12"), 1, 18, "XY"), NOW)
    assert document.document_number == "D23145890734"
    assert document.optional_data == "AB12<XY"
    assert document.check_digits[0].holds


@pytest.mark.parametrize("rest", ["<<<", "7<<"])
def test_a_filler_for_a_check_digit_without_a_rest_is_a_check_digit_that_fails(rest: str) -> None:
    document = parse_mrz(put(TD1, 0, 14, "<" + rest), NOW)
    assert document.document_number == "D23145890"
    assert (document.check_digits[0].printed, document.check_digits[0].holds) == ("<", False)


def test_an_empty_personal_number_may_leave_its_check_digit_blank_and_a_given_one_may_not() -> None:
    # The specimen of Germany prints 0; the standard also allows a filler, and both weigh nothing in the composite.
    german = ("P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<", "C11T002JM4D<<9608122F2310314<<<<<<<<<<<<<<<4")
    assert all(check.holds for check in parse_mrz(german, NOW).check_digits)
    fields = {check.field: check.holds for check in parse_mrz(put(TD3, 1, 42, "<"), NOW).check_digits}
    assert not fields["optional_data"]


def test_a_residence_card_may_have_a_digit_in_its_document_code() -> None:
    document = parse_mrz(put(TD1, 0, 0, "C1USA"), NOW)
    assert (document.document_code, document.issuing_state) == ("C1", "USA")
    assert document.repairs == ()


@pytest.mark.parametrize(
    ("lines", "offset"),
    [
        ((), None),
        (TD3[:1], None),
        ((*TD3, TD3[0]), None),
        ((TD3[0], TD3[1][:-1]), None),
        (TD1[:2], None),
        (put(TD3, 1, 3, "é"), 47),
        (put(TD3, 0, 2, "u"), 2),
        (put(TD3, 0, 0, "7"), 0),
        (put(TD3, 0, 0, "<"), 0),
    ],
)
def test_what_is_no_zone_is_malformed_and_its_text_holds_nothing_of_the_holder(
    lines: tuple[str, ...], offset: int | None
) -> None:
    with pytest.raises(Malformed) as caught:
        parse_mrz(lines, NOW)
    assert caught.value.offset == offset
    assert "ERIKSSON" not in str(caught.value)


# --- repair -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "column", "read", "meant"),
    [
        (1, 13, "74O812", "740812"),
        (1, 13, "7A0B12", "740812"),
        (1, 19, "Z", "2"),
        (1, 21, "IZO4IS", "120415"),
        (0, 2, "UT0", "UTO"),
        (0, 5, "ER1K550N", "ERIKSSON"),
        (1, 10, "UT0", "UTO"),
    ],
)
def test_a_character_of_the_wrong_class_is_taken_for_its_look_alike(
    line: int, column: int, read: str, meant: str
) -> None:
    document = parse_mrz(put(TD3, line, column, read), NOW)
    assert document.mrz == TD3
    assert document.raw == put(TD3, line, column, read)
    assert {(repair.read, repair.taken_as) for repair in document.repairs} == {
        (before, after) for before, after in zip(read, meant, strict=True) if before != after
    }
    assert {repair.reason for repair in document.repairs} == {RepairReason.POSITION}


def test_the_unique_look_alike_that_satisfies_all_check_digits_is_taken_and_said() -> None:
    # Birth 740812 read as 740612: two less under weight 7 leaves its check digit 4 short, under 3 the composite 6.
    document = parse_mrz(put(TD3, 1, 16, "6"), NOW)
    assert document.mrz == TD3
    (repair,) = document.repairs
    assert (repair.line, repair.column, repair.read, repair.taken_as) == (1, 16, "6", "8")
    assert repair.reason is RepairReason.CHECK_DIGITS


def test_two_misread_dates_are_put_right_together() -> None:
    read = put(put(TD3, 1, 16, "6"), 1, 25, "7")  # birth 740612, expiry 120475
    document = parse_mrz(read, NOW)
    assert document.mrz == TD3
    assert [(repair.read, repair.taken_as) for repair in document.repairs] == [("6", "8"), ("7", "1")]


def test_two_equally_small_edits_leave_the_zone_as_read() -> None:
    # L898902C3 read as L898902C8: 8 -> 3 in the ninth place and 8 -> 3 in the second both make it agree.
    read = put(TD3, 1, 8, "8")
    document = parse_mrz(read, NOW)
    assert (document.mrz, document.repairs) == (read, ())
    assert [check.field for check in document.check_digits if not check.holds] == ["document_number", "composite"]


def test_one_check_digit_alone_never_speaks_for_a_change() -> None:
    read = put(VISA, 1, 13, "400301")  # a visa has no composite
    document = parse_mrz(read, NOW)
    assert (document.mrz, document.repairs) == (read, ())


def test_swaps_that_the_check_digits_cannot_see_are_not_seen() -> None:
    """0, A, K and U differ by tens: a check digit that holds is no proof."""
    document = parse_mrz(put(TD3, 1, 5, "A"), NOW)
    assert document.document_number == "L8989A2C3"
    assert all(check.holds for check in document.check_digits)


def test_many_characters_of_the_wrong_class_are_left_alone() -> None:
    read = put(TD3, 1, 13, "ZAOBIZ2")
    read = put(read, 1, 21, "IZO4IS")
    document = parse_mrz(read, NOW)
    assert (document.mrz, document.repairs) == (read, ())


# --- codes ------------------------------------------------------------------------------------------------------------


def test_the_list_of_codes_holds_what_doc_9303_adds_to_iso_3166() -> None:
    codes = state_codes()
    added = set(
        "D GBD GBN GBO GBP GBS UNO UNA UNK XBA XIM XCC XCO XEC XPO XOM XCE XMP XXA XXB XXC XXX EUE RKS UTO".split()  # noqa: SIM905 - reads as the standard's table
    )
    assert added <= set(codes)
    assert codes["UTO"].kind is CodeKind.SPECIMEN
    assert {code for code in added if codes[code].kind is CodeKind.PERSON} == {"XXA", "XXB", "XXC", "XXX"}


def test_the_list_of_codes_holds_every_assigned_alpha_3_code_and_names_each_source() -> None:
    codes = state_codes()
    assigned = {code for code, entry in codes.items() if entry.source.startswith("ISO 3166-1")}
    assert len(assigned) == 249  # ISO 3166-1 as of 2026
    assert {"LAO", "THA", "VNM", "KHM", "MMR", "CHN", "MYS", "PHL", "IDN", "SGP", "TLS", "BRN", "DEU"} <= assigned
    assert all(entry.name and entry.source for entry in codes.values())
    assert all(code.isascii() and code.isupper() and len(code) in (1, 3) for code in codes)


def test_withdrawn_codes_are_historic() -> None:
    kinds = {code: state_codes()[code].kind for code in ("SUN", "YUG", "CSK", "DDR", "BUR", "ZAR", "TMP", "ANT", "ROM")}
    assert set(kinds.values()) == {CodeKind.HISTORIC}
