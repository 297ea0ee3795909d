"""The real panel on gpiozero's mock pins: plain outputs, callbacks that only enqueue, everything dark at both ends."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from appliance.contract.errors import DeviceError
from appliance.recorder.panel.base import PanelEvent
from appliance.recorder.panel.gpio import GpioPanel
from appliance.recorder.settings import PanelSettings

SETTINGS = PanelSettings(lamp_seen=25, mic_rail=27)


@pytest.fixture
def factory() -> Iterator[Any]:
    factory = MockFactory()
    yield factory
    factory.reset()


@pytest.fixture
def panel(factory: Any) -> Iterator[GpioPanel]:
    panel = GpioPanel(SETTINGS, 0, factory)
    yield panel
    panel.close()


def started(panel: GpioPanel) -> list[PanelEvent]:
    heard: list[PanelEvent] = []
    panel.start(heard.append)
    return heard


def test_all_lines_are_dark_before_anything_is_asked(panel: GpioPanel, factory: Any) -> None:
    assert [factory.pin(number).state for number in (23, 22, 17)] == [0, 0, 0]
    assert all(factory.pin(number).function == "output" for number in (23, 22, 17))


def test_the_red_line_is_no_pwm(panel: GpioPanel, factory: Any) -> None:
    panel.set_red(True)
    assert factory.pin(23).state == 1
    assert factory.pin(23).frequency is None


def test_present_states_of_sense_lines_are_told_first(panel: GpioPanel) -> None:
    assert [event.kind for event in started(panel)] == ["lamp-unseen", "rail-off"]


def test_button_and_senses_are_events_with_their_moment(panel: GpioPanel, factory: Any) -> None:
    heard = started(panel)
    del heard[:]
    factory.pin(24).drive_high()
    factory.pin(24).drive_low()
    factory.pin(25).drive_high()
    factory.pin(27).drive_high()
    factory.pin(25).drive_low()
    factory.pin(27).drive_low()
    kinds = ["button-down", "button-up", "lamp-seen", "rail-on", "lamp-unseen", "rail-off"]
    assert [event.kind for event in heard] == kinds
    assert all(event.at_ns > 0 for event in heard)


def test_a_button_that_is_down_at_the_start_presses_nothing(factory: Any) -> None:
    factory.pin(24).drive_high()
    panel = GpioPanel(SETTINGS, 0, factory)
    heard = started(panel)
    assert "button-down" not in [event.kind for event in heard]
    panel.close()


def test_without_sense_lines_the_lamp_is_not_sensed(factory: Any) -> None:
    panel = GpioPanel(PanelSettings(), 0, factory)
    assert not panel.lamp_sensed
    assert started(panel) == []
    panel.close()


def test_close_puts_everything_out(factory: Any) -> None:
    panel = GpioPanel(SETTINGS, 0, factory)
    pins = [factory.pin(number) for number in (23, 22, 17)]
    panel.set_red(True)
    panel.set_green("on")
    panel.set_amber("slow", 3)
    assert [pin.state for pin in pins] == [1, 1, 1]
    dark: list[int] = []
    panel._red.close = lambda: dark.append(pins[0].state)
    panel.close()
    assert dark == [0]


def test_a_pin_in_use_is_named_and_what_was_claimed_is_let_go(factory: Any) -> None:
    other = gpiozero.LED(17, pin_factory=factory)
    with pytest.raises(DeviceError, match=r"GPIO 17.*another"):
        GpioPanel(SETTINGS, 0, factory)
    other.close()
    GpioPanel(SETTINGS, 0, factory).close()


def test_a_button_that_is_down_at_the_start_is_told_as_such_and_its_release_as_well(
    panel: GpioPanel, factory: Any
) -> None:
    factory.pin(24).drive_high()
    heard = started(panel)
    factory.pin(24).drive_low()
    assert [event.kind for event in heard if event.kind.startswith("button")] == ["button-found-down", "button-up"]


class LgpioLikePin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A pin that closing takes from nobody, as gpiozero's for lgpio: its callback goes on."""

    def close(self) -> None:
        self.function = "input"


def test_a_closed_panel_hears_nothing_when_the_next_one_uses_its_lines() -> None:
    """The press that begins a commissioning is released when another panel has the button (a whole box found it)."""
    factory = MockFactory(pin_class=LgpioLikePin)
    panel = GpioPanel(SETTINGS, 0, factory)
    heard = started(panel)
    pins = [factory.pin(number) for number in (23, 22, 17, 24, 25, 27)]
    pins[3].drive_high()
    panel.close()
    del heard[:]
    assert [pin.when_changed for pin in pins] == [None] * 6
    for _ in range(2):
        pins[3].drive_low()
        pins[3].drive_high()
    assert heard == []


class BusyPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A line that lgpio's poll still has when it is let go."""

    busy = True

    def close(self) -> None:
        if self.busy:
            self.busy = False
            raise OSError("GPIO busy")
        super().close()


def test_a_line_that_cannot_be_let_go_keeps_no_other_from_it() -> None:
    factory = MockFactory(pin_class=BusyPin)
    panel = GpioPanel(SETTINGS, 0, factory)
    panel.set_red(True)
    red = factory.pin(23)
    panel.close()
    assert red.state == 0
    assert factory.pins == {}


def test_what_lgpio_raises_for_a_busy_line_is_told_as_a_busy_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class LgpioError(Exception):
        """Like lgpio's own, which is no error of gpiozero's."""

    class TakenPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
        def __init__(self, *arguments: Any) -> None:
            raise LgpioError("GPIO busy")

    monkeypatch.setitem(sys.modules, "lgpio", types.SimpleNamespace(error=LgpioError))
    with pytest.raises(DeviceError, match="another recorder"):
        GpioPanel(SETTINGS, 0, MockFactory(pin_class=TakenPin))
