"""The installer: a person who answers at a terminal, or nobody.

All messages go to standard error, so that standard output holds only the result, for a script.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from typing import Literal, Protocol, TextIO

from .panel_loop import PanelLoop, StoppedError

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
_WAIT_S = 3600.0


Cue = Literal["none", "red", "green", "amber", "button", "quiet", "speech"]
"""What is asked next."""


class Installer(Protocol):
    """Gets messages, and may answer questions."""

    @property
    def present(self) -> bool:
        """Whether somebody can look at a light and press a button."""

    def tell(self, text: str) -> None:
        """Show a message."""

    def cue(self, what: Cue) -> None:
        """Show what is asked next, to somebody who reads no words."""

    def ask(self, question: str) -> bool:
        """Return the answer to a question, however long that takes. Only if `present`."""


def _say(out: TextIO, text: str) -> None:
    # a terminal that hung up must not keep a microphone from being closed; `ask` notices it
    with contextlib.suppress(OSError):
        out.write(text)
        out.flush()


class Nobody:
    """No installer: what only a person can see is not tried."""

    present = False

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out

    def tell(self, text: str) -> None:
        """Print the message, for the log."""
        _say(self._out, f"{text}\n")

    def cue(self, what: Cue) -> None:
        """Do nothing: nobody looks."""

    def ask(self, question: str) -> bool:
        """Fail: nobody can answer."""
        raise AssertionError(f"nobody is there to be asked: {question}")


class Terminal:
    """A person at a terminal."""

    present = True

    def __init__(self, panel_loop: PanelLoop, answers: int, out: TextIO | None = None) -> None:
        """Read answers from the descriptor `answers`."""
        self._panel_loop = panel_loop
        self._answers = answers
        self._out = sys.stderr if out is None else out

    def tell(self, text: str) -> None:
        """Print the message."""
        _say(self._out, f"{text}\n")

    def cue(self, what: Cue) -> None:
        """Do nothing: the words say it."""

    def ask(self, question: str) -> bool:
        """Ask until the answer is yes or no; raise StoppedError if the terminal is gone or a signal came."""
        # what was typed before the question does not answer it
        with contextlib.suppress(termios.error):
            termios.tcflush(self._answers, termios.TCIFLUSH)
        while True:
            _say(self._out, f"{question} [y/n] ")
            answer = _ANSWERS.get(self._line().strip().lower())
            if answer is not None:
                return answer

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            if not self._panel_loop.run_once(_WAIT_S, self._answers):
                continue
            try:
                more = os.read(self._answers, 1024)
            except OSError:
                more = b""  # a terminal that hung up
            if not more:
                raise StoppedError("the terminal is gone; nothing was written", signal.SIGHUP)
            line += more
        return line.decode("utf-8", "replace")
