"""Stopping at SIGTERM or SIGINT: what a signal handler may do without ever waiting for a lock.

A handler runs in the main thread, between two of its instructions. `threading.Event.set` there waits for the lock that
the same thread holds inside `Event.wait`, for ever. A flag and a pipe need no lock; and because the interpreter itself
writes into the pipe (signal.set_wakeup_fd), a signal that comes just before a wait is not slept through either.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import weakref
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ASKED = b"\0"
_STOP_BYTES = {0, *STOP_SIGNALS}


class StopSignal:
    """Set once, by a signal handler or by any thread; any number of threads wait for it."""

    def __init__(self) -> None:
        self._asked = False
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for descriptor in (self._reader, self._writer):
            # not closed by hand: a signal that comes late would write into whatever got the number next
            weakref.finalize(self, os.close, descriptor)

    @contextlib.contextmanager
    def listening(self, *, hangup: bool = False) -> Iterator[None]:
        """Be set by SIGTERM and SIGINT meanwhile; only in the main thread.

        `hangup`: also by the SIGHUP of a terminal that is closed, unless nohup asked for it to be ignored.
        """
        terminal = hangup and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        numbers = (*STOP_SIGNALS, signal.SIGHUP) if terminal else STOP_SIGNALS
        handlers = {number: signal.signal(number, self._on_signal) for number in numbers}
        descriptor = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def set(self) -> None:
        """Ask to stop; never waits."""
        self._asked = True
        # a full pipe is readable already
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, _ASKED)

    def is_set(self) -> bool:
        """Tell whether a stop was asked for."""
        return self._asked

    def fileno(self) -> int:
        """Return the descriptor that stays readable once a stop was asked for."""
        return self._reader

    def wait(self, seconds: float) -> bool:
        """Wait until a stop is asked for, at most `seconds`; tell whether it is. For the main thread."""
        if not self._asked:
            poll = select.poll()
            poll.register(self._reader, select.POLLIN)
            if poll.poll(max(0.0, seconds) * 1000):
                self._woken()
        return self._asked

    def _woken(self) -> None:
        # the interpreter's byte may be here before its handler has run, and may be of another signal
        if _STOP_BYTES.intersection(os.read(self._reader, 4096)):
            self.set()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.set()
