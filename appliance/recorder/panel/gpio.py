"""The real front panel: gpiozero on lgpio (docs/wiring).

lgpio runs a notify thread of its own, which calls back here; an exception in it would kill it silently, so callbacks
only enqueue. Lines are set by the supervisor's main loop alone. The red line is a plain output, never PWM.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from appliance.contract.errors import DeviceError
from appliance.contract.status import Light
from appliance.recorder.settings import PanelSettings

from .base import PanelEvent, PanelEventKind

_log = logging.getLogger(__name__)


def lgpio_factory(run: Path) -> Any:
    """Return gpiozero's lgpio factory, and no other: gpiozero's own choice would fall back with only a warning."""
    os.environ["GPIOZERO_PIN_FACTORY"] = "lgpio"
    # importing lgpio writes a FIFO into the working directory, unless told otherwise
    os.environ["LG_WD"] = str(run)
    import lgpio  # noqa: PLC0415 - only with its folder set
    from gpiozero import GPIOZeroError  # noqa: PLC0415 - only where pins are
    from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - it imports lgpio

    try:
        return LGPIOFactory()
    except (OSError, lgpio.error, GPIOZeroError) as error:
        raise DeviceError(
            f"cannot open the GPIO chip: {error}; "
            "run on a Raspberry Pi as a user in the group 'plainsight-gpio', or set panel.kind to 'simulated'",
            field="panel.kind",
        ) from error


def _pin_errors() -> tuple[type[Exception], ...]:
    """Return what is raised where a line cannot be had or let go: lgpio's own error is none of gpiozero's."""
    import gpiozero  # noqa: PLC0415 - only where pins are

    lgpio = sys.modules.get("lgpio")
    return (gpiozero.GPIOZeroError, OSError, *([lgpio.error] if lgpio else []))


class GpioPanel:
    """Button, lights and sense lines on pins."""

    kind: Literal["gpio"] = "gpio"

    def __init__(self, settings: PanelSettings, bounce_s: float, factory: Any) -> None:
        import gpiozero  # noqa: PLC0415 - only where pins are

        self.lamp_sensed = settings.sensed
        self._settings = settings
        self._factory = factory
        self._devices: list[Any] = []

        def claim(make: Callable[..., Any], pin: int, **options: Any) -> Any:
            try:
                device = make(pin, pin_factory=factory, **options)
            except _pin_errors() as error:
                self.close()
                raise DeviceError(
                    f"cannot use GPIO {pin}: {error}; is another program, or another recorder, using it?",
                    field="panel",
                ) from error
            self._devices.append(device)
            return device

        self._red = claim(gpiozero.LED, settings.red, initial_value=False)
        self._green = claim(gpiozero.LED, settings.green, initial_value=False)
        self._amber = claim(gpiozero.LED, settings.amber, initial_value=False)
        # no Button of gpiozero's: that has a thread of its own for holds, which the recorder measures itself
        self._button = claim(gpiozero.DigitalInputDevice, settings.button, pull_up=False, bounce_time=bounce_s or None)
        self._senses: list[tuple[Any, PanelEventKind, PanelEventKind]] = []
        if settings.lamp_seen is not None:
            line = claim(gpiozero.DigitalInputDevice, settings.lamp_seen, pull_up=False)
            self._senses.append((line, "lamp-seen", "lamp-unseen"))
        if settings.mic_rail is not None:
            line = claim(gpiozero.DigitalInputDevice, settings.mic_rail, pull_up=False)
            self._senses.append((line, "rail-on", "rail-off"))

    def start(self, on_event: Callable[[PanelEvent], None]) -> None:
        """Begin to report; present states of sense lines come first."""

        def report(kind: PanelEventKind) -> Callable[[], None]:
            return lambda: on_event(PanelEvent(kind, time.monotonic_ns()))

        for line, active, inactive in self._senses:
            line.when_activated = report(active)
            line.when_deactivated = report(inactive)
            report(active if line.value else inactive)()
        self._button.when_activated = report("button-down")
        self._button.when_deactivated = report("button-up")
        if self._button.value:
            report("button-found-down")()

    def set_red(self, lit: bool) -> int:
        """Switch REC_EN; return CLOCK_MONOTONIC when, in nanoseconds."""
        at_ns = time.monotonic_ns()
        self._red.value = lit
        return at_ns

    def set_green(self, mode: Light) -> None:
        """Set the green light; `slow` is drawn by supervisor/indicators.py."""
        self._green.value = mode != "off"

    def set_amber(self, mode: Light, blinks: int = 0) -> None:  # noqa: ARG002 - supervisor/indicators.py counts
        """Set the amber light; `slow` is drawn by supervisor/indicators.py."""
        self._amber.value = mode != "off"

    def close(self) -> None:
        """Put the lamp and the microphone's supply out, then let go of the lines."""
        for device in self._devices:
            if hasattr(device, "off"):
                device.off()
        for device in self._devices:
            self._let_go(device)
        self._devices.clear()
        self._factory.close()

    def _let_go(self, device: Any) -> None:
        pin = device.pin
        # gpiozero 2.0.1 leaves a closed pin's callback with lgpio's thread, which calls it at each edge of the panel
        # that follows, and dies of the first exception: nobody hears the button any more
        for release in (lambda: setattr(pin, "when_changed", None), device.close):
            try:
                release()
            except _pin_errors() as error:
                # lgpio's poll still has the line for a moment; closing the chip frees it
                _log.warning("GPIO %s is let go with the chip: %s", pin, error)
