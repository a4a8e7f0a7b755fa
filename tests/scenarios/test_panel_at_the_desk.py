"""Lamps and buttons on gpiozero's mock pins, seen and pressed from outside the box's process."""

import contextlib
import dataclasses
import json
import queue
import threading
from collections.abc import Generator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from drivers.api import Button, Lamp, Sound
from drivers.panel import GpioPanel, PanelPins
from drivers.simulators.pins import DeskPinFactory
from tests.scenarios.desk_world import PATIENCE_S, DeskWorld, desk_world

PINS = PanelPins(green=17, amber=27, red=22, buzzer=18, start=5, supervisor=6)
NAMES = {17: "green", 27: "amber", 22: "red", 18: "buzzer", 5: "start", 6: "supervisor"}


@pytest.fixture
def desk(tmp_path: Path) -> Generator[DeskWorld]:
    with desk_world(tmp_path / "d") as world:
        yield world


@contextlib.contextmanager
def panel_at(socket: Path) -> Generator[GpioPanel]:
    panel = GpioPanel(PINS, DeskPinFactory(socket, NAMES))
    try:
        yield panel
    finally:
        panel.close()


@pytest.fixture
def panel(desk: DeskWorld) -> Generator[GpioPanel]:
    with panel_at(desk.folder / "pins.sock") as fitted:
        fitted.show(Lamp.RED)
        desk.event(event="lamp", lamp="red", on=True)
        fitted.show(None)
        desk.event(event="lamp", lamp="red", on=False)
        yield fitted


def edges(desk: DeskWorld) -> list[tuple[str, bool]]:
    """Every edge that the onlooker wrote down."""
    lines = (desk.folder / "lamps.jsonl").read_text().splitlines()
    return [(edge["lamp"], edge["on"]) for edge in map(json.loads, lines)]


@pytest.mark.parametrize("lamp", list(Lamp))
def test_a_lamp_is_seen_going_on_and_off(desk: DeskWorld, panel: GpioPanel, lamp: Lamp) -> None:
    panel.show(lamp)
    on = desk.event(event="lamp", lamp=lamp, on=True)
    panel.show(None)
    off = desk.event(event="lamp", lamp=lamp, on=False)
    assert on["t_ns"] < off["t_ns"]


def test_never_two_lamps_at_once(desk: DeskWorld, panel: GpioPanel) -> None:
    for lamp in (Lamp.GREEN, Lamp.AMBER, Lamp.RED, Lamp.GREEN, None):
        panel.show(lamp)
    desk.event(event="lamp", lamp="red", on=False)
    desk.event(event="lamp", lamp="green", on=False)
    lit: set[str] = set()
    for lamp, on in edges(desk):
        lit = lit | {lamp} if on else lit - {lamp}
        assert len(lit) <= 1


@pytest.mark.parametrize(("sound", "beeps"), [(Sound.DONE, 1), (Sound.WAIT, 2), (Sound.FAULT, 1)])
def test_a_sound_is_so_many_beeps(desk: DeskWorld, panel: GpioPanel, sound: Sound, beeps: int) -> None:
    panel.sound(sound)
    for _ in range(beeps):
        desk.event(event="lamp", lamp="buzzer", on=True)
        desk.event(event="lamp", lamp="buzzer", on=False)
    panel.show(Lamp.RED)
    desk.event(event="lamp", lamp="red", on=True)
    assert edges(desk).count(("buzzer", True)) == beeps


def test_a_press_with_a_worn_contact_is_one_press(desk: DeskWorld, panel: GpioPanel) -> None:
    presses: queue.SimpleQueue[Button] = queue.SimpleQueue()
    panel.on_press(presses.put)
    desk.ask("press", button="start", bounces=5)
    desk.ask("press", button="supervisor", bounces=5)
    desk.ask("press", button="start", bounces=0)
    heard = [presses.get(timeout=PATIENCE_S) for _ in range(3)]
    assert heard == [Button.START, Button.SUPERVISOR, Button.START]
    assert presses.empty()


def test_without_a_box_there_is_nothing_to_press(desk: DeskWorld) -> None:
    assert desk.ask("press", button="start") == {"ok": False, "why": "no box holds the pins"}


def test_lamps_go_dark_when_the_box_lets_go(desk: DeskWorld) -> None:
    with panel_at(desk.folder / "pins.sock") as panel:
        panel.show(Lamp.AMBER)
        desk.event(event="lamp", lamp="amber", on=True)
    desk.event(event="lamp", lamp="amber", on=False)


def test_a_lamp_lit_while_nobody_looked_is_seen_by_the_next_who_looks(tmp_path: Path) -> None:
    with panel_at(tmp_path / "d" / "pins.sock") as panel:
        panel.show(Lamp.GREEN)
        for _ in range(2):
            with desk_world(tmp_path / "d") as desk:
                while not desk.ask("state")["lamps"]["green"]:  # its event may be older than this connection
                    threading.Event().wait(0.01)
                panel.show(Lamp.AMBER)
                desk.event(event="lamp", lamp="amber", on=True)
                panel.show(Lamp.GREEN)
                desk.event(event="lamp", lamp="green", on=True)


def test_the_panel_drives_the_pins_it_was_given() -> None:
    """The same panel on gpiozero's own mock pins: lamps and buzzer are outputs, buttons inputs with a pull-up."""
    factory = MockFactory()
    panel = GpioPanel(PINS, factory)
    panel.show(Lamp.AMBER)
    assert {number: factory.pin(number).state for number in (17, 27, 22, 18)} == {17: 0, 27: 1, 22: 0, 18: 0}
    assert [factory.pin(number).pull for number in (5, 6)] == ["up", "up"]
    panel.close()
    assert {factory.pin(number).function for number in NAMES} == {"input"}
    with gpiozero.LED(17, pin_factory=factory) as released:
        assert not released.is_lit


@contextlib.contextmanager
def panel_with_a_lid(socket: Path) -> Generator[queue.SimpleQueue[bool]]:
    """A panel whose case has a switch; gives what it tells."""
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()
    panel = GpioPanel(dataclasses.replace(PINS, lid=26), DeskPinFactory(socket, NAMES | {26: "lid"}))
    panel.show(Lamp.RED)
    try:
        panel.on_lid(told.put)
        yield told
    finally:
        panel.close()


def test_a_case_that_is_opened_and_closed_is_told_once_each(desk: DeskWorld) -> None:
    with panel_with_a_lid(desk.folder / "pins.sock") as told:
        desk.event(event="lamp", lamp="red", on=True)
        desk.ask("lid", open=False)
        heard: list[bool] = []
        for is_open in (True, False):
            desk.ask("lid", open=is_open)
            while not heard or heard[-1] is not is_open:
                heard.append(told.get(timeout=PATIENCE_S))
        assert heard in ([True, False], [True, False, True, False]), "without a desk the switch reads open"


def test_a_case_that_is_open_at_the_start_is_told(desk: DeskWorld) -> None:
    desk.ask("lid", open=True)
    with panel_with_a_lid(desk.folder / "pins.sock") as told:
        assert told.get(timeout=PATIENCE_S) is True


def test_a_cut_wire_reads_as_an_open_case(tmp_path: Path) -> None:
    with panel_with_a_lid(tmp_path / "nobody.sock") as told:
        assert told.get(timeout=PATIENCE_S) is True
