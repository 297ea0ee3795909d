"""The installer at a box without a screen: lights ask, the button answers (docs/commissioning-card).

A press is yes; a hold is no, and ends it. Nothing but the panel is listened to, so nothing from a network can begin it
or answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from appliance.recorder.clock import ns
from appliance.recorder.supervisor.indicators import Indicators

from .installer import Cue
from .panel_loop import CommissioningError, PanelLoop

ANSWER_S: Final = 120.0
"""How long a question stands, in seconds."""
_TURN_S: Final = 0.1
_DONE_S: Final = 4.0
"""How long green says that all is well."""
_ROUNDS: Final = 3
"""How often amber counts what is wrong."""
_log = logging.getLogger(__name__)


class Buttons:
    """A person who has the lights, the button and the printed card."""

    present = True

    def __init__(self, panel_loop: PanelLoop, answer_s: float = ANSWER_S) -> None:
        """Ask at this panel; a question that nobody answers for `answer_s` seconds ends it."""
        self._loop = panel_loop
        self._answer_s = answer_s
        self._indicators = Indicators(panel_loop.panel)
        self._cue: Cue = "none"

    def tell(self, text: str) -> None:
        """Leave the words in the journal."""
        _log.info("%s", text)

    def cue(self, what: Cue) -> None:
        """Show what is asked; a light that is under test shows itself."""
        self._cue = what
        now = time.monotonic_ns()
        if what in {"red", "green", "amber"}:
            return
        self._indicators.set_green("on" if what == "button" else "slow" if what == "quiet" else "off", now)
        self._indicators.set_amber("on" if what == "button" else "slow" if what == "speech" else "off", 1, now)

    def ask(self, question: str) -> bool:
        """Return True for a press; raise CommissioningError for a hold, or if nobody answers."""
        _log.info("%s", question)
        self._loop.run_once(0)
        presses, releases = self._loop.presses, self._loop.releases
        if not self._wait(lambda: self._loop.presses > presses):
            raise CommissioningError(f"nobody answered within {self._answer_s:g} s", field=self._cue)
        began = time.monotonic()
        held_s = self._loop.settings.times.hold_s
        if not self._wait(lambda: self._loop.releases > releases) or time.monotonic() - began >= held_s:
            raise CommissioningError("the installer held the button: no", field=self._cue)
        return True

    def show_well(self) -> None:
        """Show that all is well."""
        now = time.monotonic_ns()
        self._indicators.set_amber("off", 0, now)
        self._indicators.set_green("on", now)
        self._loop.wait_until(lambda: False, _DONE_S)

    def show_wrong(self, blinks: int) -> None:
        """Let amber count, as the recorder does."""
        self._indicators.set_green("off", time.monotonic_ns())
        self._indicators.set_amber("slow", blinks, time.monotonic_ns())
        self._answer_for(_ROUNDS * (blinks * 1.2 + 2.4))

    def _wait(self, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + self._answer_s
        while not condition():
            if time.monotonic() >= end:
                return False
            self._loop.run_once(_TURN_S)
            self._indicators.tick(time.monotonic_ns())
        return True

    def _answer_for(self, seconds: float) -> None:
        end = time.monotonic_ns() + ns(seconds)
        while time.monotonic_ns() < end:
            self._loop.run_once(_TURN_S)
            self._indicators.tick(time.monotonic_ns())
