"""Revoked key: whoever holds a revoked box's keys signs on; headquarters' own signatures say up to where they count."""

from pathlib import Path

import pytest

from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44
from provisioning.audit.testimony_pages import COSIGNED, encode_page
from provisioning.audit.testimony_pages import RECEIPTS as RECEIPT_PAGES
from provisioning.authority.home import Home
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from provisioning.authority.roster import revoke
from tests.exhibit_post import receipt as receipt_for
from tests.scenarios.auditor import kept, pull_from, verify_of, words
from tests.scenarios.made_headquarters import NOW_MS, Box

REVOKED_MS = NOW_MS + 3_600_000
ENTRIES = 9


def cosigned(home: Home, note: bytes, at_ms: int) -> bytes:
    name = cosigner_name(home.settings.domain)
    return add_signatures(
        note,
        [
            Ed25519Cosigner(name, load_ed25519(home.key(COSIGN_ED25519)), at_s=at_ms // 1000),
            MlDsa44Cosigner(name, load_mldsa44(home.key(COSIGN_MLDSA44)), at_s=at_ms // 1000),
        ],
    )


def cosign(box: Box, at_ms: int) -> None:
    """Headquarters' collector cosigns what the box has published, at this time."""
    note = cosigned(box.home, (box.state / "log/checkpoint").read_bytes(), at_ms)
    kept(box).keep_page(COSIGNED, 0, encode_page([note]))


def receipt(box: Box, index: int, at_ms: int) -> None:
    kept(box).keep_page(RECEIPT_PAGES, 0, encode_page([receipt_for(box, index, at_ms)]))


def thief_signs_on(box: Box) -> None:
    """With every key of the box, and a clock that claims a time long before."""
    for _ in range(3):
        box.event()
    box.publish()


@pytest.fixture
def known(box: Box) -> Box:
    pull_from(box)
    return box


def test_entries_that_headquarters_cosigned_before_the_revocation_stay_good(known: Box) -> None:
    cosign(known, REVOKED_MS - 60_000)
    revoke(known.home, "LA-0001", at_ms=REVOKED_MS)
    assert verify_of(known).problems == []


def test_entries_after_the_revocation_are_named_by_pull_and_verify_whatever_time_they_claim(known: Box) -> None:
    cosign(known, REVOKED_MS - 60_000)
    revoke(known.home, "LA-0001", at_ms=REVOKED_MS)
    thief_signs_on(known)
    for problems in (pull_from(known).problems, verify_of(known).problems):
        assert [problem.index for problem in problems] == [ENTRIES]
        assert "signed by a revoked key" in words(problems)
        assert f"entries {ENTRIES} to {ENTRIES + 2}; they prove nothing" in words(problems)


def test_what_was_cosigned_only_after_the_revocation_proves_nothing(known: Box) -> None:
    cosign(known, REVOKED_MS + 60_000)
    revoke(known.home, "LA-0001", at_ms=REVOKED_MS)
    assert [problem.index for problem in verify_of(known).problems] == [0]


def test_a_receipt_before_the_revocation_shows_the_entries_up_to_its_own(known: Box) -> None:
    receipt(known, 6, REVOKED_MS - 1)
    revoke(known.home, "LA-0001", at_ms=REVOKED_MS)
    assert [problem.index for problem in verify_of(known).problems] == [7]


def test_a_revoked_box_of_which_headquarters_signed_nothing_proves_nothing(known: Box) -> None:
    revoke(known.home, "LA-0001", at_ms=REVOKED_MS)
    assert "covers entries 0 to 8" in words(verify_of(known).problems)


def test_no_other_box_is_named(home: Home, known: Box, tmp_path: Path) -> None:
    other = Box(home, tmp_path / "other", serial="LA-0002")
    other.publish()
    pull_from(other)
    revoke(home, "LA-0001", at_ms=REVOKED_MS)
    assert verify_of(other).problems == []
    assert verify_of(known).problems
