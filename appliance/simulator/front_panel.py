"""The simulated front panel itself: one button, three lights, two sense lines, and a log of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

from appliance.contract.status import Light

Message = dict[str, Any]


@dataclass
class Log:
    """A log of one JSON object a line, each with CLOCK_MONOTONIC; flushed at once."""

    file: TextIO

    def write(self, entry: Message, t_ns: int | None = None) -> None:
        """Add an entry."""
        stamped = {"t_ns": time.monotonic_ns() if t_ns is None else t_ns, **entry}
        self.file.write(json.dumps(stamped) + "\n")
        self.file.flush()


@dataclass
class FrontPanel:
    """What a person would see and press. `to_recorder` is called with each event for the recorder."""

    log: Log
    sense: bool = True
    """Whether the sensor in the lamp and the supply's sense line are wired."""
    red: bool = False
    """Whether the red lamp is commanded to be lit."""
    green: Light = "off"
    amber: Light = "off"
    blinks: int = 0
    """The amber code's count of slow blinks."""
    button: bool = False
    lamp_broken: bool = False
    """The lamp stays dark whatever is commanded; its current then supplies no microphone either."""
    listeners: list[Callable[[Message], None]] = field(default_factory=list)
    """Who is told about button and sense lines: the connected recorder."""

    @property
    def lit(self) -> bool:
        """Whether the red lamp really shines."""
        return self.red and not self.lamp_broken

    def present(self) -> list[Message]:
        """Return what a recorder that has just connected must know."""
        found = [{"button": "found-down", "t_ns": time.monotonic_ns()}] if self.button else []
        return [*(self._senses() if self.sense else []), *found]

    def command(self, red: bool | None, green: Light | None, amber: Light | None, blinks: int = 0) -> None:
        """Do what the recorder commands."""
        before = self.lit
        if red is not None:
            self.red = red
        if green is not None and green != self.green:
            self.green = green
            self.log.write({"green": green})
        if amber is not None and (amber, blinks) != (self.amber, self.blinks):
            self.amber, self.blinks = amber, blinks
            self.log.write({"amber": amber, "blinks": blinks})
        self._lamp_may_have_changed(before)

    def press(self, down: bool) -> None:
        """Press or release the button."""
        if down == self.button:
            return
        self.button = down
        now = time.monotonic_ns()
        self.log.write({"button": "down" if down else "up"}, now)
        self._tell({"button": "down" if down else "up", "t_ns": now})

    def break_lamp(self, broken: bool) -> None:
        """Break or mend the red lamp."""
        before = self.lit
        self.lamp_broken = broken
        self._lamp_may_have_changed(before)

    def lamps_out(self) -> None:
        """Put everything out, as the unit's ExecStopPost does."""
        self.command(False, "off", "off")

    def _lamp_may_have_changed(self, before: bool) -> None:
        if self.lit == before:
            return
        self.log.write({"red": self.lit})
        if self.sense:
            for message in self._senses():
                self._tell(message)

    def _senses(self) -> list[Message]:
        now = time.monotonic_ns()
        return [{"lamp_seen": self.lit, "t_ns": now}, {"rail": self.lit, "t_ns": now}]

    def _tell(self, message: Message) -> None:
        for listener in list(self.listeners):
            listener(message)

    def state(self) -> Message:
        """Return everything, for the page and for scripts."""
        return {
            "red": self.lit,
            "commanded": self.red,
            "green": self.green,
            "amber": self.amber,
            "blinks": self.blinks,
            "button": self.button,
            "lamp_broken": self.lamp_broken,
            "recorder": bool(self.listeners),
        }
