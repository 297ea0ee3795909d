"""A signal handler touches nothing that takes a lock, wherever the main thread stands when it comes."""

from __future__ import annotations

import ast
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from appliance.contract import stop_signal
from appliance.contract.stop_signal import STOP_SIGNALS, StopSignal

ROOT = Path(__file__).resolve().parents[3]
PRIMITIVES = {"os.eventfd_write", "os.write", "contextlib.suppress", "signal.Signals", "self._events.append"}
"""What a handler may call in the end: none of them waits."""
FOLLOWED = {"set", "put", "ask_to_stop", "ask_to_restart", "_on_signal"}
"""Methods of ours that handlers call; the bodies of all methods of these names are looked through."""


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_that_any_thread_gets_ends_a_wait_at_once(number: signal.Signals) -> None:
    stop = StopSignal()
    with stop.listening():
        timer = threading.Timer(0.1, signal.raise_signal, [number])
        timer.start()
        began = time.monotonic()
        assert stop.wait(60)
        assert time.monotonic() - began < 10
        timer.join()


def test_a_signal_at_any_instruction_of_a_wait_neither_hangs_nor_is_lost() -> None:
    """`Event.set` in a handler hangs when the signal comes at one of a few instructions of `Event.wait`."""
    first = StopSignal()
    places = count_instructions(lambda: first.wait(0))
    assert places > 10
    for place in range(1, places + 1):
        stop = StopSignal()
        with stop.listening(), interrupted_at(place):
            stop.wait(0)
        assert stop.wait(0), f"lost at instruction {place}"


def test_a_closed_terminal_stops_what_listens_for_it_and_nothing_that_nohup_started() -> None:
    stop = StopSignal()
    with stop.listening(hangup=True):
        signal.raise_signal(signal.SIGHUP)
        assert stop.wait(60)
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopSignal()
        with stop.listening(hangup=True):
            signal.raise_signal(signal.SIGHUP)
            assert not stop.wait(0)
    finally:
        signal.signal(signal.SIGHUP, former)


def test_after_listening_the_former_handlers_are_back() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with StopSignal().listening():
        assert [signal.getsignal(number) for number in STOP_SIGNALS] != before
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_another_signal_is_no_stop() -> None:
    stop = StopSignal()
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with stop.listening():
            signal.raise_signal(signal.SIGUSR1)
            assert not stop.wait(0)
            assert not stop.wait(0.05)
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextlib.contextmanager
def interrupted_at(place: int, count: list[int] | None = None) -> Iterator[None]:
    """Raise SIGTERM at one instruction of this module's functions (0: at none), and count the instructions."""
    seen = [0] if count is None else count

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        if frame.f_globals is not vars(stop_signal):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen[0] += 1
            if seen[0] == place:
                signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def count_instructions(work: Callable[[], Any]) -> int:
    count = [0]
    with interrupted_at(0, count):
        work()
    return count[0]


def test_it_can_be_waited_for_beside_other_things_and_stays_set() -> None:
    stop = StopSignal()
    assert not stop.wait(0)
    stop.set()
    stop.set()
    assert stop.is_set()
    assert stop.wait(60)
    assert stop.fileno() >= 0


def product() -> list[tuple[Path, ast.Module]]:
    found = [
        (path, ast.parse(path.read_text()))
        for folder in ("appliance", "archive")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    assert found
    return found


def called(node: ast.AST) -> set[str]:
    return {ast.unparse(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}


def installed(module: ast.Module) -> Iterator[ast.expr]:
    """The handlers that a module installs, asyncio's left out: its handlers run in the loop, not in the signal."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "signal.signal":
            yield node.args[1]


def harmless(text: str) -> bool:
    return text in PRIMITIVES or text.rpartition(".")[2] in FOLLOWED


def test_every_handler_of_the_product_calls_only_what_never_waits() -> None:
    wrong: list[str] = []
    handlers = 0
    for path, module in product():
        for handler in installed(module):
            text = ast.unparse(handler)
            if text.startswith("signal.SIG_") or text == "handler":
                # the kernel's own, or one that is put back
                continue
            handlers += 1
            names = called(handler) if isinstance(handler, ast.Lambda) else {text}
            wrong += [f"{path.relative_to(ROOT)} installs {text}" for name in names if not harmless(name)]
    assert handlers >= 3
    assert wrong == []


def test_what_handlers_call_calls_only_what_never_waits() -> None:
    found: set[str] = set()
    wrong: list[str] = []
    for path, module in product():
        if "signal" not in path.read_text():
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name in FOLLOWED:
                found.add(node.name)
                wrong += [
                    f"{path.relative_to(ROOT)}: {node.name} calls {name}" for name in called(node) if not harmless(name)
                ]
    assert found == FOLLOWED
    assert wrong == []
