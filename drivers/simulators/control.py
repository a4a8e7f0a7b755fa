"""What one may ask of the desk: one struct a request, decoded strictly; the wire is JSON lines on `desk.sock`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from drivers.simulators.faults import Fault
from drivers.simulators.views import View

Line = Annotated[str, Meta(max_length=4096, pattern=r"\A[\x20-\x7e]*\Z")]
Lines = Annotated[list[Line], Meta(max_length=8)]
Seconds = Annotated[float, Meta(ge=0, le=60)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    pass


class Lay(_Request, frozen=True, kw_only=True, tag="lay"):
    """Lay a document, in place of what lies there.

    Attributes:
        mrz: Its zone as printed: what the camera sees.
        read: What the scanner reads of it; [] when it can read nothing, None when just what is printed.
        fault: What goes wrong when it is sent, once.
        at: The byte of the report at which it goes wrong.
        for_s: How long a stall or an unplugging lasts, seconds.
        view: How the camera sees it.
        vanishing: Its zone is printed in ink that infrared light does not show.
        over: The zone of another page whose lower half lies over this one's upper half, so that the camera sees both.
        hand: No page but a hand with spread fingers, held still; the scanner, which has no eyes, reads `mrz`.
    """

    mrz: Lines
    read: Lines | None = None
    fault: Fault = Fault.NONE
    at: Annotated[int, Meta(ge=0, le=4096)] = 0
    for_s: Seconds = 0.7
    view: View = View.CLEAN
    vanishing: bool = False
    over: Lines = []
    hand: bool = False


class Remove(_Request, frozen=True, kw_only=True, tag="remove"):
    """Take the document away."""


class Raw(_Request, frozen=True, kw_only=True, tag="raw"):
    """Put these bytes on the line, whatever the scanner would do."""

    hex: Annotated[str, Meta(max_length=65_536, pattern=r"\A([0-9a-fA-F]{2})*\Z")]


class Unplug(_Request, frozen=True, kw_only=True, tag="unplug"):
    """Pull the scanner's cable."""


class Plug(_Request, frozen=True, kw_only=True, tag="plug"):
    """Plug it in again."""


class Press(_Request, frozen=True, kw_only=True, tag="press"):
    """Press a button and let it go.

    Attributes:
        held_s: How long it is held, seconds.
        bounces: How often the contact opens and closes again at each edge.
    """

    button: Annotated[str, Meta(pattern=r"\A(start|supervisor)\Z")]
    held_s: Seconds = 0.1
    bounces: Annotated[int, Meta(ge=0, le=20)] = 0


class Lid(_Request, frozen=True, kw_only=True, tag="lid"):
    """Open or close the case of the box; it is closed when the desk starts."""

    open: bool


class State(_Request, frozen=True, kw_only=True, tag="state"):
    """Ask how everything stands."""


Request = Lay | Remove | Raw | Unplug | Plug | Press | Lid | State

DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
