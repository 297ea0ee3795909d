"""The main loop of a commissioning: panel, lamp and signals.

A signal handler raises nothing: it puts a word into the queue, and `run_once` reads the queue. So no signal interrupts
the order of shutting down, microphone first, then lamp. The panel's thread only writes to the queue.
"""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable
from typing import ClassVar, Protocol, assert_never

from appliance.contract import amber_codes
from appliance.contract.errors import DeviceError, PlainSightError
from appliance.contract.systemd_notification import SystemdNotifier
from appliance.recorder.clock import ns
from appliance.recorder.ipc.wakeup_queue import STOP, WakeupQueue
from appliance.recorder.panel.base import Panel, PanelEvent
from appliance.recorder.panel.lamp_token import Lamp
from appliance.recorder.settings import RecorderSettings

_TURN_S = 0.25


class StoppedError(PlainSightError):
    """The installer stopped the command, or the terminal is gone."""

    code: ClassVar[str] = "stopped"

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number
        """The number of the signal."""


class CommissioningError(PlainSightError):
    """A part of the box failed its test; `field` names it."""

    code: ClassVar[str] = "not-right"


class Readable(Protocol):
    """Anything that `poll` can wait for."""

    def fileno(self) -> int:
        """Return the file descriptor."""


def by_table(code: str, part: str) -> CommissioningError:
    """Return the error for an amber code, with its cause and remedy."""
    fault = amber_codes.find(code)
    return CommissioningError(f"{fault.cause} {fault.remedy} (amber {fault.blinks}: {code})", field=part)


class PanelLoop:
    """The panel as commissioning uses it."""

    def __init__(self, panel: Panel, settings: RecorderSettings) -> None:
        self.panel = panel
        self.settings = settings
        self.lamp = Lamp(panel, ns(settings.times.lamp_s))
        self.seen = False
        """Whether the sensor sees the lamp lit."""
        self.rail = False
        """Whether the microphone's supply is on."""
        self.presses = 0
        """How often the button was pressed."""
        self.releases = 0
        """How often it was released."""
        self._queue: WakeupQueue[PanelEvent | str] = WakeupQueue()
        self._stopped_by = signal.SIGTERM
        self._notifier = SystemdNotifier()

    def start(self) -> None:
        """Start the panel, with all lights off."""
        self.panel.start(self._queue.put)

    def ask_to_stop(self, number: int) -> None:
        """Stop at the next wait; for signal handlers."""
        self._stopped_by = signal.Signals(number)
        self._queue.put(STOP)

    def run_once(self, seconds: float, *others: Readable | int) -> bool:
        """Wait for an event, at most `seconds`, and handle it; return whether one of `others` can be read.

        Raises StoppedError after a signal, DeviceError after a lost panel.
        """
        # where the recorder's unit runs it, its watchdog goes on
        self._notifier.watchdog()
        poll = select.poll()
        for one in (self._queue, *others):
            poll.register(one, select.POLLIN)
        found = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
        for word in self._queue.drain():
            if isinstance(word, PanelEvent):
                self._handle(word)
            else:
                raise StoppedError(f"stopped by {self._stopped_by.name}; nothing was written", self._stopped_by)
        return bool(found - {self._queue.fileno()})

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until `condition` holds, at most `seconds`; return whether it does."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.run_once(min(left, _TURN_S))
        return True

    def read_sensors(self) -> None:
        """Read the sense lines; a simulated panel reports them a moment after its start."""
        self.wait_until(lambda: False, self.settings.times.lamp_s)

    def switch_lamp_on(self) -> None:
        """Switch the red lamp on; raise CommissioningError if a sensor does not see it lit within lamp_s."""
        self.lamp.command(lit=True)
        if self.panel.lamp_sensed and not self.wait_until(lambda: self.seen, self.settings.times.lamp_s):
            raise by_table("lamp-dark", "lamp-sensor")

    def switch_lamp_off(self) -> None:
        """Switch the red lamp off; never before the microphone is closed."""
        self.lamp.command(lit=False)

    def require_dark(self) -> None:
        """Raise CommissioningError if lamp or supply are still on lamp_s after the lamp was switched off."""
        if not self.wait_until(lambda: not self.seen and not self.rail, self.settings.times.lamp_s):
            raise by_table("rail-live" if self.rail else "lamp-stuck", "rail-sense" if self.rail else "lamp-sensor")

    def _handle(self, event: PanelEvent) -> None:
        match event.kind:
            case "button-down":
                self.presses += 1
            case "button-found-down":
                pass  # only a press that the installer was asked to make counts
            case "button-up":
                # the end of the press that began it is nobody's answer
                self.releases = min(self.releases + 1, self.presses)
            case "lamp-seen" | "lamp-unseen":
                self.seen = event.kind == "lamp-seen"
                self.lamp.sensed(seen=self.seen, at_ns=event.at_ns)
            case "rail-on" | "rail-off":
                self.rail = event.kind == "rail-on"
            case "panel-lost":
                fault = amber_codes.find("panel-lost")
                raise DeviceError(f"{fault.cause} {fault.remedy}", field="panel")
            case _:
                assert_never(event.kind)
