"""Stage 7 of 8: show - what happens to the booth itself until it is in the log: start, devices, sign-ins, lost records.

For both profiles. Nothing of it is about a person (formats/event.py).
"""

import contextlib

from appliance.booth.outbox import Outbox
from appliance.errors import LandlinkError
from drivers.api import DeviceState


class Happenings:
    """Events of one run that wait for the log; for the lane's thread.

    Args:
        outbox: Logs them.

    Attributes:
        devices: Where each device stands, by name.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._events: list[tuple[str, dict[str, str]]] = [("page_started", {})]
        self._not_recorded = 0
        self._not_signed_in = 0
        self.devices: dict[str, DeviceState] = {}

    def device(self, name: str, state: DeviceState) -> bool:
        """A device came, went or failed; the same state again is no news. Whether it worked until now, and does not."""
        was = self.devices.get(name)
        if was is not state:
            self._events.append(("device_changed", {"device": name, "state": state.value}))
        self.devices[name] = state
        return was is DeviceState.READY and state is not DeviceState.READY

    def lid(self, *, is_open: bool) -> None:
        """The box's case was opened or closed."""
        self._events.append(("lid_changed", {"state": "open" if is_open else "closed"}))

    def signed(self, *, in_: bool) -> None:
        """An officer signed in, or out."""
        self._events.append(("signed_in" if in_ else "signed_out", {}))

    def looked_up(self) -> None:
        """A document was looked up that nobody had brought."""
        self._events.append(("looked_up", {}))

    def sign_in_failed(self) -> None:
        """Somebody tried to sign in with what is no badge."""
        self._not_signed_in += 1

    def not_recorded(self) -> None:
        """A result was shown without a record (I1)."""
        self._not_recorded += 1

    def log(self) -> None:
        """Log them in their order, as far as the recorder takes them; the others the next time."""
        self._counted("not_recorded", self._not_recorded)
        self._counted("sign_in_failed", self._not_signed_in)
        self._not_recorded = self._not_signed_in = 0
        with contextlib.suppress(LandlinkError):  # still in the list, so tried again
            while self._events:
                self._outbox.event(*self._events[0])
                self._events.pop(0)

    def _counted(self, event: str, count: int) -> None:
        if count:
            self._events.append((event, {"count": str(count)}))
