"""A redacted copy: a record without personal data, as far as nobody asked to keep it.

What stays is listed here, path by path; all else goes, so a field that a later version adds goes too. The salt, and
hashes of what people could guess (the raw reading), always go: with them a guess could be confirmed.
"""

from collections.abc import Sequence
from typing import Any, Final

from appliance.errors import Misuse
from provisioning.exhibit.entry import Shape

ALWAYS: Final = (
    "schema", "origin", "record_id", "mode", "at", "crossing.direction",
    "body.type", "body.laid", "body.of", "body.before",
    "body.reading.type", "body.document.format", "body.document.document_code",
    "body.findings.check", "body.findings.answer",
    "body.screening.lists",
    "body.screening.hits.list_name", "body.screening.hits.list_version", "body.screening.hits.list_date",
    "body.screening.hits.band", "body.screening.hits.notice", "body.screening.hits.matcher",
    "body.decision.type", "body.decision.oldest_list", "body.decision.first.code", "body.decision.others.code",
    "body.outcome", "body.implied", "body.was", "body.now", "body.by_voice", "body.answer",
    "body.media_type", "body.call", "body.why",
)  # fmt: skip
"""What stays without being asked for: places, times, kinds, versions, what was decided and done. No words of people."""
NEVER: Final = ("salt", "body.reading.raw_sha256", "body.content", "pictures")
"""With the salt, or a hash of what has few possible values, a guess at what was removed could be confirmed."""
KEEPABLE: Final = {
    "document": ("body.document", "body.document_number", "body.document_type", "body.issuing_state"),
    "reading": ("body.reading",),
    "findings": ("body.findings",),
    "hits": ("body.screening", "body.spared"),
    "decision": ("body.decision",),
    "crossing": ("crossing",),
    "person": ("person",),
    "officers": ("body.by", "body.gave", "body.took"),
    "words": ("body.note", "body.reason", "body.legal_basis"),
    "request": ("body.request",),
}
"""What `--keep` takes, and what it keeps."""


def redacting(keep: Sequence[str]) -> Shape:
    """A shape that keeps ALWAYS and these groups of KEEPABLE.

    Raises:
        Misuse: There is no such group.
    """
    unknown = sorted(set(keep) - KEEPABLE.keys())
    if unknown:
        raise Misuse(f"--keep {unknown[0]}: there is {', '.join(KEEPABLE)}")
    kept = frozenset((*ALWAYS, *(path for group in keep for path in KEEPABLE[group])))

    def shape(_kind: str, shown: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        removed: list[str] = []
        return _part(shown, "", kept, removed), tuple(sorted(set(removed)))

    return shape


def _part(shown: dict[str, Any], above: str, kept: frozenset[str], removed: list[str]) -> dict[str, Any]:
    return {key: _value(item, f"{above}{key}", kept, removed) for key, item in shown.items()}


def _value(item: Any, path: str, kept: frozenset[str], removed: list[str]) -> Any:  # noqa: ANN401 - JSON
    """An item as far as it stays; what goes is null, so that its place is seen."""
    if path not in NEVER and (path in kept or item is None):
        return _without_never(item, path, removed)
    if any(each.startswith(f"{path}.") for each in kept):
        match item:
            case dict():
                return _part(item, f"{path}.", kept, removed)
            case list():
                return [_value(each, path, kept, removed) for each in item]
            case _:
                pass
    removed.append(path)
    return None


def _without_never(item: Any, path: str, removed: list[str]) -> Any:  # noqa: ANN401 - JSON
    match item:
        case dict():
            return {key: _unless_never(each, f"{path}.{key}", removed) for key, each in item.items()}
        case list():
            return [_without_never(each, path, removed) for each in item]
        case _:
            return item


def _unless_never(item: Any, path: str, removed: list[str]) -> Any:  # noqa: ANN401 - JSON
    if path in NEVER:
        removed.append(path)
        return None
    return _without_never(item, path, removed)
