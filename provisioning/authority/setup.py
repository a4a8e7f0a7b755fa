"""`init`: make headquarters, once, whole or not at all."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.errors import Refused
from appliance.files import storage, sync_folder, write_durably
from appliance.formats.age import Identity, generate_identity
from appliance.formats.downlink import ANSWERS, DIRECTIVES
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, Verifier
from appliance.formats.release import (
    COSIGN_ED25519,
    COSIGN_MLDSA44,
    RECEIPTS,
    Recipients,
    Roster,
    RosterKey,
    encode_roster,
)
from provisioning.authority.certificates import make_authority
from provisioning.authority.home import Home, Settings
from provisioning.authority.identities import IDENTITIES, identity_file, write_identity
from provisioning.authority.keys import CUSTODY, SECRET_BYTES, cosigner_name, write_private_key
from provisioning.authority.repository import Repository
from provisioning.authority.roles import KEY_NAMES


def make_headquarters(folder: Path, settings: Settings, *, now_ms: int) -> Home:
    """Make every key, certificate and paper of a new headquarters in `folder`, with the first release.

    It is made beside its place and moved there when it is whole, so an interrupted `init` leaves no half of one.

    Raises:
        Refused: There is something at `folder` already; nothing of it is touched.
        StorageFull, StorageFault: It could not be written.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise Refused(f"{folder} is not empty: headquarters' keys are made once; choose another folder with --home")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    with storage(f"making {folder}"):
        for part in ("keys", "ca", "pulled", "opened", "lists", "down"):
            (draft / part).mkdir(mode=0o700, parents=True)
        draft.chmod(0o700)
    try:
        _fill(Home(draft, settings), now_ms)
        with storage(f"making {folder}"):
            draft.rename(folder)  # onto an empty folder or none
            sync_folder(folder.parent.absolute())
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Home.open(folder)


def _fill(home: Home, now_ms: int) -> None:
    settings = home.settings
    make_authority(
        home.ca,
        domain=settings.domain,
        collector_host=settings.collector_host,
        now=datetime.fromtimestamp(now_ms / 1000, UTC),
    )
    for name in KEY_NAMES:
        write_private_key(home.key(name), Ed25519PrivateKey.generate())
    list_key = os.urandom(SECRET_BYTES)
    write_durably(home.list_key_file, list_key, mode=0o600)
    write_durably(home.voice_master_file, os.urandom(SECRET_BYTES), mode=0o600)
    roster = Roster(version=1, keys=_make_roster_keys(home), boxes=())
    write_durably(home.roster_file, encode_roster(roster), mode=0o644)
    recipients = _make_recipients(home)
    Repository.create(home.folder, recipients=recipients, roster=roster, list_key=list_key, at_ms=now_ms)
    write_durably(home.folder / "hq.json", msgspec.json.format(msgspec.json.encode(settings)), mode=0o644)


def _make_roster_keys(home: Home) -> tuple[RosterKey, ...]:
    """Keys of receipts, cosignatures, messages to one box and headquarters' own log; what others believe of them."""
    receipts, ed25519, mldsa44 = (
        Ed25519PrivateKey.generate(),
        Ed25519PrivateKey.generate(),
        MLDSA44PrivateKey.generate(),
    )
    write_private_key(home.key(RECEIPTS), receipts)
    write_private_key(home.key(COSIGN_ED25519), ed25519)
    write_private_key(home.key(COSIGN_MLDSA44), mldsa44)
    name = cosigner_name(home.settings.domain)
    public_ed25519, public_mldsa44 = ed25519.public_key().public_bytes_raw(), mldsa44.public_key().public_bytes_raw()
    return (
        *(RosterKey(role=role, public=_make_key(home, role)) for role in (ANSWERS, DIRECTIVES, CUSTODY)),
        RosterKey(role=RECEIPTS, public=receipts.public_key().public_bytes_raw()),
        RosterKey(
            role=COSIGN_ED25519,
            public=public_ed25519,
            vkey=Verifier(name, COSIGNATURE_ED25519, public_ed25519).vkey(),
        ),
        RosterKey(
            role=COSIGN_MLDSA44,
            public=public_mldsa44,
            vkey=Verifier(name, COSIGNATURE_MLDSA44, public_mldsa44).vkey(),
        ),
    )


def _make_key(home: Home, role: str) -> bytes:
    key = Ed25519PrivateKey.generate()
    write_private_key(home.key(role), key)
    return key.public_key().public_bytes_raw()


def _make_recipients(home: Home) -> Recipients:
    made: dict[str, Identity] = {name: generate_identity() for name in IDENTITIES}
    for name, identity in made.items():
        write_identity(identity_file(home.folder, name), identity)
    return Recipients(
        version=1,
        general=made["record"].recipient.encode(),
        escrow=made["escrow"].recipient.encode(),
        protection=made["protection"].recipient.encode(),
    )
