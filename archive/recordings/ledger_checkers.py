"""Ledger checkers that stand where each recording's ledger ends, kept between requests.

Each process feeds every line once, instead of the whole ledger for each request. A checker is taken out while it is
used, so that no two threads share one, and put back only when what it was fed is committed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from appliance.contract.chain import LedgerChecker
from appliance.contract.signed import split_lines

from .models import LedgerBatch, Recording

REMEMBERED = 64
"""Most recordings whose checker a process keeps."""


class Chains:
    """The checkers of one process."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._idle: OrderedDict[str, LedgerChecker] = OrderedDict()

    def take(self, recording: Recording) -> LedgerChecker:
        """Return a checker that was fed exactly the lines that the database has of this recording."""
        with self._lock:
            checker = self._idle.pop(recording.id, None)
        if checker is None or checker.lines > recording.next_line:
            checker = new_checker(recording)
        for line in lines_from(recording, checker.lines):
            checker.feed(line)
        return checker

    def put_back(self, recording: Recording, checker: LedgerChecker) -> None:
        """Keep a checker; all that it was fed must be committed."""
        with self._lock:
            self._idle[recording.id] = checker
            self._idle.move_to_end(recording.id)
            while len(self._idle) > self._size:
                self._idle.popitem(last=False)

    def forget(self) -> None:
        """Drop all checkers; the next request feeds one anew."""
        with self._lock:
            self._idle.clear()


def new_checker(recording: Recording) -> LedgerChecker:
    """Return a checker for a ledger without any line yet."""
    return LedgerChecker(recording.signed_header, bytes(recording.header))


def lines_from(recording: Recording, first: int) -> list[bytes]:
    """Return the stored ledger lines from number `first` on."""
    if first >= recording.next_line:
        return []
    batches = LedgerBatch.objects.filter(recording=recording).order_by("first_line")
    start = batches.filter(first_line__lte=first).values_list("first_line", flat=True).last()
    if start is None:
        return []
    data = b"".join(bytes(row) for row in batches.filter(first_line__gte=start).values_list("data", flat=True))
    return split_lines(data)[first - start :]


chains = Chains()
