"""Stage 2 of 8: parse - the name field: primary and secondary identifier, mononyms, truncation (Doc 9303-3 §4.6)."""

from appliance.parse.characters import FILLER


def split_names(field: str) -> tuple[str, str]:
    """Primary and secondary identifier, single spaces for fillers; the secondary is "" for a mononym.

    Two fillers end the primary identifier; any later pair belongs to the secondary (Doc 9303-3 §4.6.1).
    """
    parts = [spaced(part) for part in field.split(FILLER * 2)]
    primary, *others = [part for part in parts if part] or [""]
    return primary, " ".join(others)


def spaced(field: str) -> str:
    """The words of a field with single spaces between them."""
    return " ".join(field.replace(FILLER, " ").split())


def maybe_truncated(field: str) -> bool:
    """A field without a filler at its end is full: the name may go on (Doc 9303-4 §4.2.3)."""
    return not field.endswith(FILLER)
