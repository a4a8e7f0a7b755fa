"""From the rules in force to the next ones: counted up by one, from an edit of those in force and of no others."""

from typing import Any

import msgspec

from appliance.errors import Refused
from appliance.formats.rules import Rules


def next_rules(edited: Rules, in_force: Rules) -> Rules:
    """The edited rules with their new number.

    Raises:
        Refused: They are an edit of other rules than those in force, or change nothing.
    """
    if edited.version != in_force.version:
        raise Refused(
            f"the file is an edit of rules {edited.version}, in force are rules {in_force.version}: somebody changed "
            "them meanwhile; take them with `landlink-hq policy show` and make the change there"
        )
    if edited == in_force:
        raise Refused("the file says what is in force already; nothing to publish")
    return msgspec.structs.replace(edited, version=edited.version + 1)


def without_defaults(rules: Rules) -> str:
    """Rules as a person edits them: what a rule does not mention is left out."""
    return msgspec.json.format(msgspec.json.encode(_spare(msgspec.to_builtins(rules))), indent=2).decode()


def _spare(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _spare(each) for key, each in value.items() if each is not None and not _is_own(key, each)}
    return [_spare(each) for each in value] if isinstance(value, list | tuple) else value


def _is_own(key: str, value: object) -> bool:
    """The post's own telephone. Only there is "" the same as nothing: of a notice it means a hit that has none."""
    return key in ("telephone", "carrier_telephone") and value == ""
