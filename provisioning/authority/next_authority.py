"""The authority of TLS certificates is followed by the next one, without a moment in which anybody is locked out.

1. `rotate ca`: the next one signs from now on; it and the one before are trusted (`ca.crt`, the newest first). The
   collector and the auditor keep their certificates, which every box can verify.
2. Each box joins again, and takes both authorities with its answer. `issued/<serial>.crt` is the last certificate of
   each, so headquarters knows which boxes are left.
3. `rotate collector` and `rotate auditor`, which every box can verify by then; not before.

An authority is trusted until the next but one. TLS proves nothing about a record, so none of this touches a log.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import ConfigError, Refused
from appliance.files import storage, sync_folder, write_durably
from provisioning.authority.certificates import PEERS, Authority, is_issued_by, new_authority, trusted
from provisioning.authority.home import Home
from provisioning.authority.keys import load_private_key, write_private_key
from provisioning.authority.roster import read_roster

TRUSTED_MAX: Final = 2
NEXT: Final = "ca.next.key"
ISSUED: Final = "issued"


def rotate_authority(home: Home, *, now: datetime) -> tuple[str, ...]:
    """Begin the next authority; serials of the boxes that have to join again.

    Its key is durable before anybody trusts it, and takes the place of the former one last: done again after an
    interruption, it goes on with the same one.

    Raises:
        Refused: A box, the collector or the auditor has a certificate of the one before still.
        ConfigError: The authority is not here.
        StorageFull, StorageFault: What was trusted is; do it again.
    """
    ca = home.ca
    if not _waits(ca):
        _check_ended(home, Authority.open(ca).certificate)
        following = new_authority(home.settings.domain, now)
        write_private_key(ca / NEXT, following.key)
        certificates = [following.certificate, *trusted(ca)][:TRUSTED_MAX]
        pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)
        write_durably(ca / "ca.crt", pem, mode=0o644)
    with storage("changing ca.key"):
        (ca / NEXT).replace(ca / "ca.key")
        sync_folder(ca)
    return boxes_left(home)


def _waits(ca: Path) -> bool:
    """Whether the newest that is trusted is the one whose key has not come to its place yet."""
    if not (ca / NEXT).exists():
        return False
    key = load_private_key(ca / NEXT)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{ca / NEXT}: not a P-256 key")
    return bool(trusted(ca)[0].public_key() == key.public_key())


def _check_ended(home: Home, present: x509.Certificate) -> None:
    """Raises Refused while an earlier change has not come to its end: a third authority would lock somebody out."""
    if len(trusted(home.ca)) < TRUSTED_MAX:
        return
    for name in PEERS:
        refuse_early(home, name)
        if not _is_of(home.ca / f"{name}.crt", present):
            raise Refused(
                f"{name}.crt in {home.ca} is not of the present authority, or not here; bring it, or "
                f"next: landlink-hq rotate {name}, then this"
            )


def _is_of(path: Path, authority: x509.Certificate) -> bool:
    """Whether a certificate that lies here is of this authority. Raises ConfigError for what is none."""
    try:
        return is_issued_by(authority, x509.load_pem_x509_certificate(path.read_bytes()))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        raise ConfigError(f"{path}: no certificate in PEM") from None


def boxes_left(home: Home) -> tuple[str, ...]:
    """Serials of the boxes that have not been answered since the present authority began; () where it is the first.

    Raises:
        ConfigError: Certificates cannot be read.
    """
    newest, *former = trusted(home.ca)
    if not former:
        return ()
    boxes = (box.serial for box in read_roster(home).boxes if not box.revoked)
    return tuple(serial for serial in boxes if not _is_of(issued_file(home, serial), newest))


def issued_file(home: Home, serial: str) -> Path:
    """Where the last certificate of a box lies."""
    return home.ca / ISSUED / f"{serial}.crt"


def refuse_early(home: Home, name: str) -> None:
    """Raises Refused while there are boxes that could not verify a certificate of the present authority."""
    if left := boxes_left(home):
        raise Refused(
            f"{name}: of these boxes none would know the authority that signs it now: {', '.join(left)}. Each has to "
            "join again first (landlink-box request, landlink-hq issue, landlink-box accept), or to be revoked"
        )
