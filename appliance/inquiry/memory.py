"""Who or what a hit was compared with, in canonical form: what "not the same" is remembered by (README, "Memory").

The recorder keeps a keyed hash of it and forgets the rest. Two readings of one traveller must give the same bytes; two
travellers who differ in any field that a person is told apart by must not, or one would be spared the other's stop.
"""

import hashlib
from typing import Final

from appliance.formats.lists import canonical_issuer, canonical_number
from appliance.model import PartialDate, TravelDocument

CONTEXT: Final = b"landlink.example/subject/v1"


def subject_of(document: TravelDocument) -> bytes | None:
    """The document and its holder: 32 bytes, a hash over every field that tells travellers apart.

    Type, issuer and number of the document, both names, birth date, nationality and sex; not what changes with a
    reading (repairs, check digits) or says nothing of who it is (expiry, optional data). A new passport is another
    subject: the decision was made with the old one in hand.

    Returns:
        None for a paper without a number and a whole birth date: two villagers may bear one name, and what was
        decided of one must not let the other pass.
    """
    number = canonical_number(document.document_number)
    born = document.date_of_birth
    if not number and (born is None or born.full is None):
        return None
    fields = (
        document.document_code.upper(),
        canonical_issuer(document.issuing_state),
        number,
        _name(document.primary_identifier),
        _name(document.secondary_identifier),
        _birth(born),
        document.nationality.upper(),
        document.sex,
    )
    digest = hashlib.sha256(CONTEXT)
    for field in fields:
        encoded = field.encode("utf-8")
        digest.update(len(encoded).to_bytes(2, "big") + encoded)  # the length first: no two fields run into each other
    return digest.digest()


def _name(text: str) -> str:
    return " ".join(text.upper().split())


def _birth(born: PartialDate | None) -> str:
    if born is None or born.year is None:
        return ""
    return f"{born.year:04}-{born.month or 0:02}-{born.day or 0:02}"
