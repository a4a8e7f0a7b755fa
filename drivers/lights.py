"""The lamps over the document's place: white, infrared and ultraviolet, each on a pin, none lit but for an image.

A lamp that is on draws the lane's eyes, warms the box and, in the ultraviolet, harms them: so it is lit by a `with`
alone, and goes out however that ends. A process that is killed leaves its pins as they are until the booth is started
again, which puts them out first; the supervisor does that within seconds.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import gpiozero
from gpiozero.pins import Factory

from drivers.api import Light


class Lights:
    """The lamps that are fitted, all dark.

    Args:
        pins: Which BCM pin, 0 to 27, each is on; a high level lights it.
        pin_factory: gpiozero's way to the pins; not needed where none is fitted.
    """

    def __init__(self, pins: Mapping[Light, int], pin_factory: Factory | None = None) -> None:
        self._factory = pin_factory
        self._lamps = {light: gpiozero.LED(pin, pin_factory=pin_factory) for light, pin in pins.items()}

    @property
    def fitted(self) -> frozenset[Light]:
        """Which there are."""
        return frozenset(self._lamps)

    @contextmanager
    def lit(self, light: Light) -> Generator[None]:
        """Only this lamp is on inside; without one of its own the page is lit by what the box is always lit by."""
        lamp = self._lamps.get(light)
        if lamp is not None:
            lamp.on()
        try:
            yield
        finally:
            if lamp is not None:
                lamp.off()

    def close(self) -> None:
        """All dark; release the pins."""
        for lamp in self._lamps.values():
            lamp.close()
        if self._factory is not None:
            self._factory.close()
