"""The booth's process in the carrier profile: scanner, lamps and a page that says "Continue" or whom to call.

No camera: nothing of a page is kept but what was answered, about which document.
"""

import signal
import sys
import threading

from appliance.booth.carrier import CarrierDesk, CarrierFittings
from appliance.booth.carrier_page import CarrierPage
from appliance.booth.lane import Lane
from appliance.booth.lists_on_hand import ListsOnHand
from appliance.booth.serve import (
    SWITCH_S,
    end_with_thread,
    gate_of,
    leave,
    page_server,
    page_socket,
    place_of,
    record_outbox,
    surroundings,
)
from appliance.clock import Clock
from appliance.config import Config
from appliance.notify import READY, notify
from drivers.api import Panel, Scanner


def run_carrier(config: Config, scanner: Scanner, panel: Panel, *, clock: Clock, lists: ListsOnHand) -> None:
    """Work one desk until SIGTERM or SIGINT.

    Raises:
        ConfigError: The page's address cannot be used.
    """
    listening = page_socket(config)
    lane = Lane(scanner, panel)
    desk = CarrierDesk(
        CarrierFittings(
            panel=panel,
            outbox=record_outbox(config),
            clock=clock,
            on_hand=lambda: lists.current,
            duty_telephone=config.post.duty_telephone,
        )
    )
    page = CarrierPage(
        showing=lambda: desk.showing,
        around=lambda: surroundings(config, clock, lists),
        gate=gate_of(listening),
        place=place_of(config),
    )
    threading.excepthook = end_with_thread
    sys.setswitchinterval(SWITCH_S)
    lists.start()
    lane.start(desk)
    notify(READY)
    signal.signal(signal.SIGTERM, leave)
    try:
        page_server(page.application()).run(sockets=[listening])
    finally:
        lane.stop()
        lists.stop()
