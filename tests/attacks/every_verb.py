"""One message of every verb that there is, so that a new one is tried at every door without anybody remembering it."""

from collections.abc import Iterable
from typing import Final, get_args

from appliance.formats import wire
from appliance.formats.voice import Verdict
from appliance.formats.wire import Request
from tests.scenarios.recorder_bed import append, record

BOOTH_VERBS: Final = frozenset(get_args(wire.BoothRequest))
UPLINK_VERBS: Final = frozenset(get_args(wire.UplinkRequest))
RELEASES_VERBS: Final = frozenset(get_args(wire.ReleasesRequest))
AUDIT_VERBS: Final = frozenset(get_args(wire.AuditRequest))
OF: Final = "0" * 32


def every_verb() -> dict[type, Request]:
    """A well-formed message of each."""
    messages: Iterable[Request] = (
        wire.Hello(),
        append(record()),
        wire.ListCases(),
        wire.Event(event="page_started", fields={}),
        wire.ListKeys(),
        wire.Inbox(),
        wire.Voice(of=OF, code=Verdict.CONFIRMED.value),
        wire.Spared(subject=b"subject", entries=(("1", "1"),)),
        wire.Acknowledge(receipts=()),
        wire.Cosigned(note=b"note"),
        wire.Deliver(sealed=b"sealed"),
        wire.StickSeen(messages=1, lists="none"),
        wire.Switched(version=1),
        wire.LastCosigned(),
        wire.Exported(entries=1, bodies=1),
    )
    return {type(message): message for message in messages}


def of_others(own: frozenset[type]) -> list[Request]:
    """A message of each verb that a role does not have."""
    verbs = every_verb()
    assert set(verbs) == BOOTH_VERBS | UPLINK_VERBS | RELEASES_VERBS | AUDIT_VERBS
    return [message for verb, message in verbs.items() if verb not in own]
