"""A hostile headquarters, or whoever made the stick, has a holder sign something other than what is shown."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from appliance.errors import Refused, Untrusted
from appliance.formats.enrolment import fingerprint
from appliance.formats.note import COSIGNATURE_ED25519, Verifier
from appliance.formats.release import (
    COSIGN_ED25519,
    ROSTER_TARGET,
    Recipients,
    Roster,
    RosterBox,
    RosterKey,
    encode_target,
    parse_recipients,
    parse_roster,
)
from provisioning.authority.ceremony import begin, finish
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from provisioning.authority.published import Published
from provisioning.authority.session import SESSION, Session, read_session, write_signatures
from provisioning.authority.signing import signer_of
from tests.scenarios.made_headquarters import NOW_MS, Box, headquarters

THIEF = SSlibKey.from_crypto(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).public_key())
OTHER = SSlibKey.from_crypto(Ed25519PrivateKey.from_private_bytes(b"\x08" * 32).public_key())
HIDDEN = r"do not sign it"
Signed = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    Box(headquarters(folder / "hq"), folder / "box")
    return folder / "hq"


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(made, tmp_path / "hq")))


def shown(home: Home, stick: Path) -> Session:
    """What the holder is shown, who knows the fingerprint of headquarters."""
    return read_session(stick, root=fingerprint(Published(home.folder).root()))


def rewrite(stick: Path, name: str, content: bytes) -> None:
    """Put a file into a session as whoever makes the session can: everything fits together."""
    (stick / name).write_bytes(content)
    header = json.loads((stick / SESSION).read_bytes())
    header["files"][name] = sha256(content).hexdigest()
    (stick / SESSION).write_bytes(json.dumps(header).encode())


def change(stick: Path, role: str, how: Callable[[Signed], None]) -> None:
    metadata = json.loads((stick / "next" / f"{role}.json").read_bytes())
    how(metadata["signed"])
    rewrite(stick, f"next/{role}.json", json.dumps(metadata).encode())


def change_content(stick: Path, role: str, content: bytes) -> None:
    def named(signed: Signed) -> None:
        file = {"length": len(content), "hashes": {"sha256": sha256(content).hexdigest()}}
        signed["targets"][f"{role}/{role}.json"] = file

    rewrite(stick, f"next/{role}.target", content)
    change(stick, role, named)


def keys_in(signed: Signed) -> Signed:
    keys: Signed = signed["keys"] if "keys" in signed else signed["delegations"]["keys"]
    return keys


def places_in(signed: Signed) -> list[list[str]]:
    rules = signed["roles"].values() if "roles" in signed else signed["delegations"]["roles"]
    return [rule["keyids"] for rule in rules]


def keyid(home: Home, name: str) -> str:
    return str(CryptoSigner(load_ed25519(home.key(name))).public_key.keyid)


def put(signed: Signed, former: str, key: SSlibKey, *, places: int = 9) -> None:
    """The key in the place of the former one, in so many places."""
    for keyids in [each for each in places_in(signed) if former in each][:places]:
        keyids[keyids.index(former)] = key.keyid
    keys_in(signed)[key.keyid] = key.to_dict()
    if not any(former in each for each in places_in(signed)):
        del keys_in(signed)[former]


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "name"), [("root", "root-3"), ("root", "offline-3"), ("targets", "offline-3")])
def test_another_key_under_a_known_identifier_is_not_signed(home: Home, tmp_path: Path, role: str, name: str) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)

    def same_name(signed: Signed) -> None:
        keys_in(signed)[keyid(home, name)] = THIEF.to_dict()

    change(stick, role, same_name)
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


def test_a_key_with_more_than_a_key_in_it_is_not_signed(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    change(stick, "root", lambda signed: keys_in(signed)[keyid(home, "root-3")].update(hidden="something"))
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


def test_one_name_does_not_stand_for_two_new_keys(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    former = keyid(home, "offline-3")
    change(stick, "root", lambda signed: put(signed, former, THIEF))
    change(stick, "targets", lambda signed: put(signed, former, OTHER))
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


@pytest.mark.parametrize(("role", "places"), [("root", 9), ("targets", 9), ("targets", 1)])
def test_a_key_that_is_shown_as_replaced_counts_nowhere_any_more(
    home: Home, tmp_path: Path, role: str, places: int
) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    change(stick, role, lambda signed: put(signed, keyid(home, "offline-3"), THIEF, places=places))
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


def test_holders_do_not_change_places(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    change(stick, "root", lambda signed: signed["roles"]["root"]["keyids"].reverse())
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


@pytest.mark.parametrize(("one", "other"), [("root", "targets"), ("snapshot", "timestamp")])
def test_roles_do_not_change_places_behind_another_order_in_the_file(
    home: Home, tmp_path: Path, one: str, other: str
) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)

    def swap(signed: Signed) -> None:
        names = {one: other, other: one}
        signed["roles"] = {names.get(role, role): rule for role, rule in signed["roles"].items()}

    change(stick, "root", swap)
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


def test_the_same_new_key_in_every_place_of_the_former_one_is_shown(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "renew", "", None, at_ms=NOW_MS + 1)
    for role in ("root", "targets"):
        change(stick, role, lambda signed: put(signed, keyid(home, "offline-3"), THIEF))
    (line,) = [line for line in shown(home, stick).words if line.startswith("key ")]
    assert line.startswith("key offline-3: ")
    assert line.endswith(fingerprint(bytes.fromhex(THIEF.keyval["public"])))


# --- contents ---------------------------------------------------------------------------------------------------------


def test_a_target_has_one_length_one_hash_and_nothing_beside_them(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "revoke", "LA-0001", None, at_ms=NOW_MS + 1)
    change(stick, "roster", lambda signed: signed["targets"][ROSTER_TARGET]["hashes"].update(sha512="0" * 128))
    with pytest.raises(Untrusted, match="length or hash differs"):
        shown(home, stick)


def twice(roster: Roster) -> Roster:
    """A box that boxes find first, and that words would pass over."""
    box = roster.boxes[0]
    return msgspec.structs.replace(roster, boxes=(msgspec.structs.replace(box, log_vkey="thief"), *roster.boxes))


def two_halves(roster: Roster) -> Roster:
    """A cosigner whose raw key is shown, and another one counts: that of its verifier key."""
    raw, counts = (bytes.fromhex(key.keyval["public"]) for key in (OTHER, THIEF))
    vkey = Verifier("landlink.example/hq", COSIGNATURE_ED25519, counts).vkey()
    return msgspec.structs.replace(roster, keys=(*roster.keys, RosterKey(role=COSIGN_ED25519, public=raw, vkey=vkey)))


def again(roster: Roster) -> Roster:
    """A former key of a role becomes its newest."""
    return msgspec.structs.replace(roster, keys=(*roster.keys, roster.keys[0]))


@pytest.mark.parametrize("how", [twice, two_halves, again])
def test_a_roster_that_is_read_otherwise_than_it_is_shown_is_not_signed(
    home: Home, tmp_path: Path, how: Callable[[Roster], Roster]
) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "revoke", "LA-0001", None, at_ms=NOW_MS + 1)
    following = parse_roster((stick / "next" / "roster.target").read_bytes())
    change_content(stick, "roster", encode_target(how(following)))
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, stick)


def test_since_when_a_box_is_revoked_is_shown_and_so_is_another_moment(home: Home, tmp_path: Path) -> None:
    """Headquarters proves a revoked box's entries up to that moment, and none after it."""
    first, second = tmp_path / "first", tmp_path / "second"
    session = begin(home, first, "revoke", "LA-0001", None, at_ms=1_795_000_000_000)
    assert "box LA-0001: is revoked, since 2026-11-18 11:06:40 UTC" in session.words
    for key in ("offline-1", "offline-2"):
        write_signatures(first, session, signer_of(home.key(key)))
    finish(home, first, at_ms=1_795_000_000_001)
    begin(home, second, "rotate", "receipts", None, at_ms=1_795_000_000_002)
    following = parse_roster((second / "next" / "roster.target").read_bytes())
    boxes: tuple[RosterBox, ...] = (msgspec.structs.replace(following.boxes[0], revoked_ms=1_500_000_000_000),)
    change_content(second, "roster", encode_target(msgspec.structs.replace(following, boxes=boxes)))
    assert "box LA-0001: is revoked, since 2017-07-14 02:40:00 UTC" in shown(home, second).words


def test_of_a_box_that_a_session_enrols_every_key_is_shown(home: Home, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    begin(home, stick, "rotate", "receipts", None, at_ms=NOW_MS + 1)
    following = parse_roster((stick / "next" / "roster.target").read_bytes())
    box = msgspec.structs.replace(following.boxes[0], serial="LA-0666", origins=("landlink.example/la-0666.1",))
    boxes = (*following.boxes, box)
    change_content(stick, "roster", encode_target(msgspec.structs.replace(following, boxes=boxes)))
    (line,) = [line for line in shown(home, stick).words if "LA-0666" in line]
    keys = (box.identity_der, box.log_vkey.encode(), box.age_recipient.encode(), box.tls_sha256)
    assert all(fingerprint(key) in line for key in keys)
    assert "landlink.example/la-0666.1" in line


def test_recipients_that_count_themselves_far_ahead_are_not_signed_and_of_a_roster_it_is_shown(
    home: Home, tmp_path: Path
) -> None:
    """A box never goes back to a lower number: after the highest one it would take no recipients any more."""
    records, boxes = tmp_path / "records", tmp_path / "boxes"
    begin(home, records, "rotate", "record", None, at_ms=NOW_MS + 1)
    recipients: Recipients = parse_recipients((records / "next" / "recipients.target").read_bytes())
    change_content(records, "recipients", encode_target(msgspec.structs.replace(recipients, version=2**31 - 1)))
    begin(home, boxes, "revoke", "LA-0001", None, at_ms=NOW_MS + 1)
    roster = parse_roster((boxes / "next" / "roster.target").read_bytes())
    change_content(boxes, "roster", encode_target(msgspec.structs.replace(roster, version=2**31 - 1)))
    with pytest.raises(Untrusted, match=HIDDEN):
        shown(home, records)
    assert f"the roster counts itself from {roster.version - 1} to {2**31 - 1}" in shown(home, boxes).words


# --- again ------------------------------------------------------------------------------------------------------------


def test_a_finished_session_that_comes_back_later_takes_nothing_back(home: Home, tmp_path: Path) -> None:
    published: list[int] = []
    for number, name in enumerate(("first", "second"), 1):
        stick = tmp_path / name
        session = begin(home, stick, "rotate", "record", None, at_ms=NOW_MS + number)
        for key in ("offline-1", "offline-2"):
            write_signatures(stick, session, signer_of(home.key(key)))
        finish(home, stick, at_ms=NOW_MS + number)
        published.append(Published(home.folder).version())
    with pytest.raises(Refused, match="begin it anew"):
        finish(home, tmp_path / "first", at_ms=NOW_MS + 3)
    finish(home, tmp_path / "second", at_ms=NOW_MS + 3)
    assert Published(home.folder).version() == published[-1]
