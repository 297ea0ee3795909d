"""Signal handlers and threads leave words without a lock; none is lost, and the main loop is woken for each."""

from __future__ import annotations

import ast
import inspect
import itertools
import select
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from appliance.recorder.ipc.wakeup_queue import WakeupQueue

OFTEN_S = 0.0002


@pytest.fixture
def words() -> WakeupQueue[int]:
    return WakeupQueue()


@pytest.fixture
def interrupted(words: WakeupQueue[int]) -> Iterator[Iterator[int]]:
    """A signal handler that puts the next number, thousands of times a second, wherever the main thread stands."""
    numbers = itertools.count()
    before = signal.signal(signal.SIGALRM, lambda *_: words.put(next(numbers)))
    signal.setitimer(signal.ITIMER_REAL, OFTEN_S, OFTEN_S)
    yield numbers
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_handler_that_interrupts_the_main_loop_anywhere_loses_no_word(
    words: WakeupQueue[int], interrupted: Iterator[int]
) -> None:
    taken: list[int] = []
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        select.select([words], [], [], 0.01)
        taken += words.drain()
    signal.setitimer(signal.ITIMER_REAL, 0)
    taken += words.drain()
    assert len(taken) > 100
    # a handler may be interrupted by the next one between its number and its word
    assert sorted(taken) == list(range(next(interrupted)))


def test_a_word_wakes_who_waits(words: WakeupQueue[int]) -> None:
    thread = threading.Timer(0.05, words.put, [7])
    thread.start()
    assert select.select([words], [], [], 60)[0]
    assert words.drain() == [7]
    assert not select.select([words], [], [], 0)[0]
    assert words.drain() == []
    thread.join()


def test_put_calls_nothing_that_takes_a_lock() -> None:
    tree = ast.parse(inspect.getsource(WakeupQueue.put).strip())
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert called == ["self._events.append", "os.eventfd_write"]
