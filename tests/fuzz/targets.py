"""What is fuzzed, and the promise each target keeps for any bytes: a value within bounds, or Malformed, never more."""

import contextlib
import hashlib
import io
import itertools
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import Malformed, Untrusted
from appliance.formats import age, cbor, wire
from appliance.formats.downlink import (
    CaseAnswer,
    Downlink,
    ListKey,
    Message,
    open_downlink,
    sign_downlink,
    verify_downlink,
)
from appliance.formats.list_key import CHUNK_BYTES, open_persons, seal_persons
from appliance.formats.lists import ListedPerson
from appliance.formats.mirror import wanted_files
from appliance.formats.page_writer import merge_deltas
from appliance.formats.pages import (
    FILE_BYTES_MAX,
    HASH_BYTES,
    PAGE_BYTES,
    TOMBSTONE,
    TRAILER_BYTES,
    Foot,
    HeldBytes,
    PageFile,
    encode_tail,
    read_tail,
)
from appliance.formats.person_index import PersonIndex, unpack_birth
from appliance.formats.release import DOCUMENTS_TARGET
from appliance.formats.rules import DEFAULT_RULES, action_for, confirmation_for, encode_rules, parse_rules
from appliance.formats.voice import Verdict, answer_code, case_code, heard_verdict
from appliance.judged import Band
from provisioning.authority.import_verb import READERS
from provisioning.authority.person_index import person_index
from provisioning.authority.sources.document_csv import DocumentRow, read_documents
from provisioning.authority.sources.reading import HeldDocument, ReadPerson, Rejected
from tests.attacks.every_verb import every_verb
from tests.fuzz.reading import READING, Target
from tests.page_files import DAY, KEY, REMOVED, listed, page_bytes
from tests.release_world import NOW_MS, make_world

LISTS: Final = Path(__file__).parents[1] / "vectors" / "lists"
BETWEEN_FILES: Final = b"\x00\x00FILE\x00\x00"
"""Parts the files of a source that has several."""
WHY_MAX: Final = 400
DELTA: Final = "lists/documents.delta-0001"
LIST_KEY: Final = bytes(range(32))
BOX: Final = "landlink.example/la-0001"
SIGNER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IDENTITY: Final = age.Identity(bytes(range(32)))


def _vectors(*files: tuple[str, ...]) -> Callable[[], list[bytes]]:
    """List vectors; those of one tuple are read together."""
    return lambda: [BETWEEN_FILES.join((LISTS / name).read_bytes() for name in names) for names in files]


def _read_source(source: str, data: bytes) -> None:
    files = [io.BytesIO(part) for part in data.split(BETWEEN_FILES)][: READERS[source].files_max]
    with contextlib.suppress(Malformed):
        for item in READERS[source].read(files):
            if isinstance(item, ReadPerson):
                written = msgspec.json.encode(item.person)
                assert msgspec.json.decode(written, type=ListedPerson) == item.person
                for key in item.documents:
                    KEY.digest(key)
            elif isinstance(item, HeldDocument):
                KEY.digest(item.document)
            elif isinstance(item, Rejected):
                assert len(item.why) < WHY_MAX


def _read_documents(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        for row in read_documents(io.BytesIO(data)):
            if isinstance(row, DocumentRow):
                assert row.keys
                for key in row.keys[:10]:
                    KEY.digest(key)
                msgspec.json.encode(row.listed)


# --- what a release holds ---------------------------------------------------------------------------------------------


def _page_files() -> list[bytes]:
    """No page, a few records, several pages, a delta with tombstones."""
    digests = [hashlib.blake2b(bytes([number % 256, number // 256]), digest_size=16).digest() for number in range(500)]
    several = dict.fromkeys(digests, listed("", "lost")) | {digests[7]: listed("LAO-7")}
    delta = {digests[1]: REMOVED, digests[2]: listed("LAO-2", "revoked")}
    return [page_bytes({}), page_bytes({digests[0]: listed("LAO-1")}), page_bytes(several), page_bytes(delta)]


def _read_pages(data: bytes) -> None:
    """As it came; and once more with hashes that fit its pages, as somebody with the signing key would write it."""
    for content in (data, _with_fitting_hashes(data)):
        with contextlib.suppress(Malformed, Untrusted):
            file = PageFile(HeldBytes(content))
            for digest in (bytes(16), bytes(range(16)), b"\xff" * 16, *_digests(file)):
                number = file.find(digest)
                assert number is None or 0 <= number <= TOMBSTONE
                with contextlib.suppress(Malformed, Untrusted):
                    assert number in (None, TOMBSTONE) or KEY.open(file.detail(number or 0), digest).entry
            merge_deltas(file, [file], lambda _: None)


def _digests(file: PageFile) -> list[bytes]:
    return [part[:16] for part in itertools.islice(file.parts(), 3)]


def _with_fitting_hashes(data: bytes) -> bytes:
    try:
        tail = read_tail(HeldBytes(data))
        foot = cbor.parse(tail[:-TRAILER_BYTES], Foot, what="foot", bytes_max=len(tail))
    except Malformed:
        return data
    pages = data[: len(data) - len(tail)]
    hashes = (hashlib.sha256(pages[place : place + PAGE_BYTES]).digest() for place in range(0, len(pages), PAGE_BYTES))
    return pages + encode_tail(msgspec.structs.replace(foot, hashes=b"".join(each[:HASH_BYTES] for each in hashes)))


def _indexes() -> list[bytes]:
    with (LISTS / "un_traps.xml").open("rb") as file:
        people = [item.person for item in READERS["un"].read([file]) if isinstance(item, ReadPerson)]
    return [person_index((), dated=DAY), person_index(people, dated=DAY)]


def _read_index(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        index = PersonIndex(data)
        for number in range(min(len(index), 5)):
            with contextlib.suppress(Malformed):
                index.source(index.person(number))
                for birth in index.births(number):
                    unpack_birth(birth)


def _sealed_indexes() -> list[bytes]:
    return [seal_persons(index, LIST_KEY) for index in (b"", b"index", bytes(CHUNK_BYTES + 7))]


def _open_persons(data: bytes) -> None:
    """Whatever is not byte for byte what was sealed is refused."""
    with contextlib.suppress(Malformed, Untrusted):
        opened = open_persons(data, [bytes(32), LIST_KEY])
        assert data == seal_persons(opened, LIST_KEY)


def _repositories() -> list[bytes]:
    """What a carrier reads of a repository: each file behind its name."""
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        lists = {DOCUMENTS_TARGET: page_bytes({}), DELTA: page_bytes({})}
        world.repository.publish(lists, at_ms=NOW_MS)
        made_of = (DOCUMENTS_TARGET, DELTA)
        world.repository.publish(
            {DOCUMENTS_TARGET: page_bytes({bytes(16): listed("1")}), DELTA: None}, at_ms=NOW_MS, made_of=made_of
        )
        metadata = world.home / "tuf" / "metadata"
        files = [f"metadata/{path.name}\n".encode() + path.read_bytes() for path in sorted(metadata.iterdir())]
    return [BETWEEN_FILES.join(files)]


def _want_files(data: bytes) -> None:
    """Whatever the server says, a carrier learns of bounded files at safe paths."""
    files = dict(part.split(b"\n", 1) for part in data.split(BETWEEN_FILES) if b"\n" in part)
    with contextlib.suppress(Malformed):
        for wanted in wanted_files(lambda path: files.get(path.encode()), lambda _: False):
            assert 0 <= wanted.bytes_max <= FILE_BYTES_MAX
            assert len(wanted.made_of) != 1
            assert all(path.startswith("targets/lists/") for path in wanted.made_of)


# --- what comes down --------------------------------------------------------------------------------------------------


def _downlinks() -> list[bytes]:
    messages: list[Message] = [
        ListKey(key=bytes(32)),
        CaseAnswer(of="0" * 32, verdict=Verdict.CONFIRMED, words="Hold.", by="NCB"),
    ]
    return [
        sign_downlink(
            Downlink(box=BOX, counter=number, at_ms=1_795_000_000_000, message=message),
            public=SIGNER.public_key().public_bytes_raw(),
            sign=SIGNER.sign,
        )
        for number, message in enumerate(messages, start=1)
    ]


def _verify_downlink(data: bytes) -> None:
    """A message that is not one of ours was signed by nobody."""
    public = SIGNER.public_key().public_bytes_raw()
    with contextlib.suppress(Malformed, Untrusted):
        taken = verify_downlink(data, keys_of=lambda _: [public], box=BOX)
        assert taken.counter in (1, 2)
    with contextlib.suppress(Malformed, Untrusted):
        open_downlink(data, IDENTITY)


def _parse_rules(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        rules = parse_rules(data)
        assert parse_rules(encode_rules(rules)) == rules
        for band in Band:
            action_for(rules, list_name="persons", band=band, notice="red")
        confirmation_for(rules, "silver")


def _rules() -> list[bytes]:
    return [encode_rules(DEFAULT_RULES)]


def _parse_code(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        heard_verdict(bytes(32), box=BOX, of="0" * 32, code=data.decode("utf-8", "replace")[:64])


def _codes() -> list[bytes]:
    case = case_code("0" * 32)
    return [case.encode(), answer_code(bytes(32), box=BOX, case=case, verdict=Verdict.CONFIRMED).encode()]


# --- what the box's own processes say to each other ------------------------------------------------------------------


def _parse_messages(data: bytes) -> None:
    """At every door and as an answer: what is taken says the same when it is said again."""
    for parse in (
        wire.parse_booth_request,
        wire.parse_uplink_request,
        wire.parse_releases_request,
        wire.parse_audit_request,
        wire.parse_reply,
    ):
        with contextlib.suppress(Malformed):
            assert parse(wire.encode(parse(data))) == parse(data)


def _messages() -> list[bytes]:
    answers = (wire.Done(), wire.Keys(keys=(bytes(32),)), wire.RefusedReply(code="busy", words="Later."))
    return [wire.encode(message) for message in (*every_verb().values(), *answers)]


TARGETS: Final = {
    "un": Target(partial(_read_source, "un"), _vectors(("un_traps.xml",))),
    "interpol": Target(
        partial(_read_source, "interpol"),
        _vectors(("interpol_page.json",), ("interpol_detail.json",), ("interpol_page.json", "interpol_detail.json")),
    ),
    "opensanctions-csv": Target(
        partial(_read_source, "opensanctions-csv"), _vectors(("opensanctions_targets.simple.csv",))
    ),
    "opensanctions-ftm": Target(
        partial(_read_source, "opensanctions-ftm"), _vectors(("opensanctions_entities.ftm.json",))
    ),
    "ofac": Target(
        partial(_read_source, "ofac"),
        _vectors(("ofac_sdn.csv",), ("ofac_sdn.csv", "ofac_alt.csv", "ofac_add.csv", "ofac_sdn_comments.csv")),
    ),
    "documents": Target(_read_documents, _vectors(("documents_traps.csv",))),
    "pages": Target(_read_pages, _page_files),
    "persons": Target(_read_index, _indexes),
    "repository": Target(_want_files, _repositories),
    "sealed-persons": Target(_open_persons, _sealed_indexes),
    "downlink": Target(_verify_downlink, _downlinks),
    "wire": Target(_parse_messages, _messages),
    "rules": Target(_parse_rules, _rules),
    "voice": Target(_parse_code, _codes),
} | READING
