"""Where other threads and signal handlers leave word for a process's main loop: they enqueue and wake it, nothing more.

`put` takes no lock, so that a signal handler may call it wherever the main thread stands. Python runs a handler in the
main thread between two bytecodes, never inside `deque.append` or `popleft`, which are one call each of C code; eventfd
is one system call that does not wait. `queue.Queue` and `threading.Event` take locks in Python code: a handler that
came while the main thread held one would wait for it for ever.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from typing import Generic, TypeVar

STOP = "stop"
RESTART = "restart"
Word = TypeVar("Word")


class WakeupQueue(Generic[Word]):
    """A queue with a descriptor that turns readable; any thread puts, the main loop takes."""

    def __init__(self) -> None:
        self._events: deque[Word] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # not closed by hand: a signal that comes late would write into whoever got the number next
        weakref.finalize(self, os.close, self._wake)

    def fileno(self) -> int:
        """Return the descriptor for the selector."""
        return self._wake

    def put(self, event: Word) -> None:
        """Leave a word; never waits, takes no lock."""
        self._events.append(event)
        os.eventfd_write(self._wake, 1)

    def drain(self) -> list[Word]:
        """Return everything that is there, oldest first."""
        # the descriptor first: a word that comes behind the last look at the queue makes it readable again
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            # woken for another reason
            return []
        taken: list[Word] = []
        while self._events:
            taken.append(self._events.popleft())
        return taken
