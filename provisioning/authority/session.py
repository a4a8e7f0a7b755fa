"""A signing session in a folder that is carried between machines: what is in force, what is to follow, who signed it.

```
session.json     what it is, and the SHA-256 of every file below base/ and next/; its fingerprint is the session's
base/            signed metadata in force: each root as <n>.root.json, targets.json, and where they change
                 recipients.json, roster.json with their contents, *.target
next/            the drafts, unsigned, and new contents
signed/<key>.json   what one key signed, each draft's signature beside the fingerprint of the session
```
No private key ever lies in it. Whoever reads it may have it from a stranger: every file is bounded, no link is
followed, nothing else is in it, and everything is verified from the first root, whose fingerprint the reader knows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from securesystemslib.signer import CryptoSigner, Signature
from tuf.api.metadata import Metadata, Root, Targets

from appliance.command import named
from appliance.errors import Malformed, NoInput, Refused, Untrusted
from appliance.files import names_beneath, open_beneath, storage, sync_folder, write_durably
from appliance.formats.enrolment import fingerprint
from appliance.formats.refusal import refusal
from appliance.formats.release import RECIPIENTS_TARGET, ROSTER_TARGET, TARGET_BYTES_MAX
from appliance.formats.tuf_chain import ROOT_BYTES_MAX, ROOTS_MAX, TARGETS_BYTES_MAX, read_metadata, verify_roots
from appliance.model import Mode, Noun
from provisioning.authority.differences import check_like, words_of
from provisioning.authority.proposal import Proposal, names_of_keys
from provisioning.authority.published import Published
from provisioning.authority.roles import OF_PERSONS

CONTENTS: Final = {"recipients": RECIPIENTS_TARGET, "roster": ROSTER_TARGET}
SESSION: Final = "session.json"
SESSION_BYTES_MAX: Final = 131_072
SIGNED_BYTES_MAX: Final = 4_096
SIGNERS_MAX: Final = 32
_NAME: Final = re.compile(
    r"base/([1-9][0-9]{0,2}\.root|targets|recipients|roster)\.json|next/(root|targets|recipients|roster)\.json"
    r"|(base|next)/(recipients|roster)\.target"
)
_SIGNED: Final = re.compile(r"([0-9a-f]{64})\.json")
Sha256Hex = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Header(Noun, frozen=True, kw_only=True):
    """`session.json`.

    Attributes:
        act: What was asked for, as a command has it: "rotate record".
        begun_ms: When, milliseconds since 1970, by headquarters' clock.
        files: SHA-256 of every file below base/ and next/.
    """

    schema: Annotated[int, Meta(ge=1, le=1)] = 1
    domain: Annotated[str, Meta(max_length=64)]
    mode: Mode
    act: Annotated[str, Meta(max_length=128, pattern=r"\A[A-Za-z0-9 ._-]+\Z")]
    begun_ms: Annotated[int, Meta(ge=1, le=253_402_300_799_999)]
    files: Annotated[dict[Annotated[str, Meta(max_length=32)], Sha256Hex], Meta(max_length=ROOTS_MAX + 16)]


class SignedBy(Noun, frozen=True, kw_only=True):
    """`signed/<key>.json`: one key's signatures by role, 64 bytes each in hexadecimal, and of which session."""

    session: Sha256Hex
    signatures: Annotated[dict[str, Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]], Meta(max_length=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as it was read: all of it holds, but for signatures that are still lacking.

    Attributes:
        digest: SHA-256 of `session.json`.
        words: What it changes.
        names: Names of the keys in force, and of those that follow, by identifier.
        base: Its files below base/, by name.
        signers: Names of the keys that have signed.
    """

    header: Header
    digest: str
    proposal: Proposal
    words: tuple[str, ...]
    names: dict[str, str]
    base: dict[str, bytes]
    signers: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """What all who sign compare."""
        return short(self.digest)


def short(digest: str) -> str:
    """A digest as two persons compare it."""
    return " ".join(digest[start : start + 4] for start in range(0, 20, 4))


# --- writing ----------------------------------------------------------------------------------------------------------


def write_session(
    folder: Path, published: Published, proposal: Proposal, *, domain: str, mode: Mode, act: str, at_ms: int
) -> str:
    """Lay a proposal into a new folder; returns the session's digest.

    Raises:
        Refused: There is something in the folder already.
        StorageFull, StorageFault: Not all was written; `session.json`, which ends it, is not there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is not empty; name a new folder for this session")
    files = _base_files(published, proposal) | _next_files(proposal)
    with storage(f"making {folder}"):
        for part in ("base", "next", "signed"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_durably(folder / name, content, mode=0o644)
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    header = Header(domain=domain, mode=mode, act=act, begun_ms=at_ms, files=digests)
    encoded = msgspec.json.format(msgspec.json.encode(header, order="deterministic"), indent=1)
    write_durably(folder / SESSION, encoded, mode=0o644)
    return sha256(encoded).hexdigest()


def _base_files(published: Published, proposal: Proposal) -> dict[str, bytes]:
    versions = published.versions()
    files = {
        f"base/{root.version}.root.json": published.read(f"{root.version}.root.json") for root in published.roots()
    }
    files["base/targets.json"] = published.read(f"{versions[Targets.type]}.targets.json")
    for role, path in CONTENTS.items():
        if role in proposal.drafts:
            files[f"base/{role}.json"] = published.read(f"{versions[role]}.{role}.json")
            files[f"base/{role}.target"] = published.target(path) or b""
    return files


def _next_files(proposal: Proposal) -> dict[str, bytes]:
    files = {f"next/{role}.json": Metadata[Any](draft.signed).to_bytes() for role, draft in proposal.drafts.items()}
    contents = {
        f"next/{role}.target": proposal.contents[path] for role, path in CONTENTS.items() if path in proposal.contents
    }
    return files | contents


def write_signatures(folder: Path, session: Session, signer: CryptoSigner) -> tuple[str, ...]:
    """Sign with this key all that it counts for, and add that to the folder; roles.

    Raises:
        Refused: It counts for nothing here.
        StorageFull, StorageFault: The folder is as it was.
    """
    keyid = signer.public_key.keyid
    check_counts(session, keyid)
    roles = session.proposal.sign(signer)
    signatures = {role: session.proposal.drafts[role].signatures[keyid].signature for role in roles}
    signed = SignedBy(session=session.digest, signatures=signatures)
    with storage(f"making {folder / 'signed'}"):
        (folder / "signed").mkdir(exist_ok=True)
        sync_folder(folder)
    write_durably(folder / "signed" / f"{keyid}.json", msgspec.json.encode(signed, order="deterministic"), mode=0o644)
    return roles


def check_counts(session: Session, keyid: str) -> None:
    """Raises Refused, with why, when this key signs nothing of the session."""
    if session.proposal.roles_of(keyid):
        return
    why = "that key signs nothing here"
    for role in session.proposal.drafts:
        before, *after = session.proposal.signers(role)
        if keyid in before:
            why = f"{session.names[keyid]} is replaced by this session: its signature counts for nothing"
        elif any(keyid in keyids for keyids in after):
            why = f"that is the key that follows as {session.names[keyid]}: it signs from the next session on"
    lacking = "; ".join(lacking_words(session))
    raise Refused(f"{why}; nothing was signed. Lacking: {lacking or 'nothing, enough have signed'}")


def lacking_words(session: Session) -> list[str]:
    """Which signatures are still lacking, in words; nothing when none is."""
    said: list[str] = []
    for role, count in session.proposal.lacking().items():
        one, *other = session.proposal.signers(role)  # those count that count before and after
        waiting = one.intersection(*other) - set(session.proposal.drafts[role].signatures)
        said.append(f"{role}: {count} more of {', '.join(sorted(session.names[keyid] for keyid in waiting))}")
    return said


# --- reading ----------------------------------------------------------------------------------------------------------


def read_session(folder: Path, *, root: str) -> Session:
    """Read and verify a session, from the first root on.

    Args:
        folder: Where it lies.
        root: Fingerprint of headquarters' first root, as whoever reads it knows it over another way.

    Raises:
        NoInput: There is none, or it cannot be read.
        Malformed: A file is not in its format, or one is there that does not belong to it.
        Untrusted: It is of another headquarters, was altered, mixed or swapped, or changes what no words tell.
    """
    encoded = _read(folder, SESSION, SESSION_BYTES_MAX)
    header = _decode(encoded, Header, SESSION)
    digest = sha256(encoded).hexdigest()
    files = _files(folder, header)
    base = {name: data for name, data in files.items() if name.startswith("base/")}
    proposal, roots, before, contents = _verified(files, root)
    names = names_of_keys([*roots, *_of(proposal, Root.type)], [proposal.top, *_of(proposal, Targets.type)])
    words = tuple(words_of(proposal, before, contents, names))
    signers = tuple(sorted(names[keyid] for keyid in _take_signatures(folder, digest, proposal)))
    return Session(
        header=header, digest=digest, proposal=proposal, words=words, names=names, base=base, signers=signers
    )


def _of(proposal: Proposal, role: str) -> list[Any]:
    return [proposal.drafts[role].signed] if role in proposal.drafts else []


def _files(folder: Path, header: Header) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, digest in header.files.items():
        if not _NAME.fullmatch(name):
            raise Malformed(SESSION, "names a file that no session has")
        role = name.partition("/")[2].rpartition(".")[0].rpartition(".")[2]
        bytes_max = TARGET_BYTES_MAX[CONTENTS[role]] if name.endswith(".target") else TARGETS_BYTES_MAX
        files[name] = _read(folder, name, ROOT_BYTES_MAX if role == Root.type else bytes_max)
        if sha256(files[name]).hexdigest() != digest:
            raise Untrusted(f"{name} is not the file that this session began with: altered, or of another session")
    return files


def _verified(
    files: Mapping[str, bytes], root: str
) -> tuple[Proposal, tuple[Root, ...], dict[str, Targets], dict[str, bytes]]:
    """The proposal, every root in force, metadata and contents of recipients and roster in force."""
    first = _there(files, "base/1.root.json")
    if fingerprint(first).replace(" ", "") != root.replace(" ", "").lower():
        raise Untrusted(
            f"this session is of the headquarters {fingerprint(first)}, not of {root}: compare it with what a box shows"
        )
    roots = verify_roots({f"metadata/{name[5:]}": data for name, data in files.items() if "root" in name}, first)
    top = _signed(files, "targets", roots[-1])
    drafts: dict[str, Metadata[Any]] = {}
    before: dict[str, Targets] = {}
    contents: dict[str, bytes] = {}
    following: dict[str, bytes] = {}
    for role in OF_PERSONS:
        if (data := files.get(f"next/{role}.json")) is None:
            continue
        kind: type[Any] = Root if role == Root.type else Targets
        drafts[role] = Metadata[Any](
            read_metadata(data, kind, what=f"next/{role}.json", bytes_max=ROOT_BYTES_MAX).signed
        )
        if role in CONTENTS:
            before[role] = _signed(files, role, top)
        present: dict[str, Root | Targets] = {Root.type: roots[-1], Targets.type: top, **before}
        check_like(role, present[role], drafts[role].signed)
        if role in CONTENTS:
            path = CONTENTS[role]
            contents[path] = _content(files, f"base/{role}.target", before[role], path)
            if f"next/{role}.target" in files:
                following[path] = _content(files, f"next/{role}.target", drafts[role].signed, path)
            elif drafts[role].signed.targets != before[role].targets:
                raise Untrusted(f"next/{role}.json names contents that are not here")
    if not drafts:
        raise Malformed(SESSION, "has nothing to sign")
    return Proposal(root=roots[-1], top=top, drafts=drafts, contents=following), roots, before, contents


def _signed(files: Mapping[str, bytes], role: str, above: Root | Targets) -> Targets:
    name = f"base/{role}.json"
    metadata = read_metadata(_there(files, name), Targets, what=name, bytes_max=TARGETS_BYTES_MAX)
    if not above.get_verification_result(role, metadata.payload, metadata.signatures):
        raise Untrusted(f"{name} is not signed by enough keys of its role")
    return metadata.signed


def _content(files: Mapping[str, bytes], name: str, targets: Targets, path: str) -> bytes:
    data, meta = _there(files, name), targets.targets.get(path)
    if meta is None or meta.to_dict() != {"length": len(data), "hashes": {"sha256": sha256(data).hexdigest()}}:
        raise Untrusted(f"{name} is not the file that is signed: length or hash differs")
    return data


def _there(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise Malformed(SESSION, f"has no {name}")
    return files[name]


def _take_signatures(folder: Path, digest: str, proposal: Proposal) -> list[str]:
    """Add to the drafts what lies in signed/; identifiers of keys. Raises Malformed, Untrusted."""
    with named(folder / "signed"):
        names = names_beneath(folder, "signed", count_max=SIGNERS_MAX + 1)
    if len(names) > SIGNERS_MAX:
        raise Malformed("signed/", f"more than {SIGNERS_MAX} files")
    found: list[str] = []
    for name in sorted(names):
        if (match := _SIGNED.fullmatch(name)) is None:
            if name.startswith("."):
                continue  # what a stick's file system or a killed writer left
            raise Malformed("signed/", "has a file that no key wrote")
        keyid = match[1]
        signed = _decode(_read(folder, f"signed/{name}", SIGNED_BYTES_MAX), SignedBy, f"signed/{name}")
        if signed.session != digest:
            raise Untrusted(f"signed/{name[:8]}... is of the session {short(signed.session)}, this is {short(digest)}")
        for role, signature in signed.signatures.items():
            _check_signature(proposal, role, keyid, Signature(keyid, signature))
        found.append(keyid)
    return found


def _check_signature(proposal: Proposal, role: str, keyid: str, signature: Signature) -> None:
    if role in proposal.roles_of(keyid):
        draft = proposal.drafts[role]
        draft.signatures[keyid] = signature
        for delegator in proposal.delegators(role):
            if keyid in delegator.get_verification_result(role, draft.signed_bytes, draft.signatures).signed:
                return
    raise Untrusted(f"signed/{keyid[:8]}...: its signature of {role} does not hold, or counts for nothing here")


def _read(folder: Path, name: str, bytes_max: int) -> bytes:
    try:
        with open_beneath(folder, name) as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise NoInput(f"{folder / name}: {error.strerror or type(error).__name__}") from None
    if len(content) > bytes_max:
        raise Malformed(name, f"longer than {bytes_max} bytes")
    return content


def _decode(data: bytes, kind: type[Any], what: str) -> Any:  # noqa: ANN401 - the struct that was asked for
    try:
        return msgspec.json.decode(data, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(what, refusal(error)) from None
