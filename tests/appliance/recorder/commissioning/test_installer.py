"""A person's answer counts only if it answers the question; a terminal that goes away is a word to stop."""

from __future__ import annotations

import errno
import io
import os
import pty
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.recorder.commissioning.installer import Terminal
from appliance.recorder.commissioning.panel_loop import PanelLoop, StoppedError
from appliance.simulator.fakes import FakePanel
from tests.support.box.supervisor import settings
from tests.support.waiting import until


@pytest.fixture
def panel_loop(tmp_path: Path) -> PanelLoop:
    return PanelLoop(FakePanel(), settings(tmp_path))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_it_asks_until_the_answer_is_yes_or_no(panel_loop: PanelLoop, pipe: tuple[int, int]) -> None:
    out = io.StringIO()
    terminal = Terminal(panel_loop, pipe[0], out)
    threading.Thread(
        target=lambda: [
            (until(lambda n=n: out.getvalue().count("[y/n]") == n, "asked"), os.write(pipe[1], text))  # type: ignore[misc]
            for n, text in enumerate((b"maybe\n", b"\n", b" NO \n"), 1)
        ]
    ).start()
    assert terminal.ask("Is it lit?") is False
    assert out.getvalue() == "Is it lit? [y/n] " * 3
    os.close(pipe[1])


def test_a_terminal_that_is_gone_stops_it(panel_loop: PanelLoop, pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    with pytest.raises(StoppedError) as stopped:
        Terminal(panel_loop, pipe[0], io.StringIO()).ask("Is it lit?")
    assert stopped.value.number == signal.SIGHUP


def test_a_signal_ends_a_question(panel_loop: PanelLoop, pipe: tuple[int, int]) -> None:
    panel_loop.ask_to_stop(signal.SIGTERM)
    with pytest.raises(StoppedError, match="SIGTERM"):
        Terminal(panel_loop, pipe[0], io.StringIO()).ask("Is it lit?")
    os.close(pipe[1])


def test_promise_1_words_to_a_terminal_that_hung_up_break_nothing_off(
    panel_loop: PanelLoop, pipe: tuple[int, int]
) -> None:
    class HungUp(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    Terminal(panel_loop, pipe[0], HungUp()).tell("The microphone could not be closed.")
    os.close(pipe[1])


def test_promise_2_what_was_typed_before_the_question_is_no_answer(panel_loop: PanelLoop) -> None:
    ours, theirs = pty.openpty()
    out = io.StringIO()
    os.write(ours, b"y\n")
    until(lambda: os.read(ours, 100) != b"", "the terminal has it")
    threading.Thread(target=lambda: (until(lambda: "[y/n]" in out.getvalue(), "asked"), os.write(ours, b"n\n"))).start()
    assert Terminal(panel_loop, theirs, out).ask("Is it lit?") is False
    os.close(ours)
    os.close(theirs)
