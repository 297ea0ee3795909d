"""Deeds run one after the other: each begins with the lock that its custody entry needs anyway.

A deed reads, decides, enters what it does in the custody log, and changes rows, in one transaction. SQLite lets one
writer in at a time. On PostgreSQL, at READ COMMITTED, each statement sees what was committed before it began, so what a
deed reads holds until its end only if no other deed runs beside it: it takes the lock of the log's end before it reads
anything. Whoever follows then sees all that the one before did, and since everybody takes that lock first, no two wait
for each other. So in a deed nothing waits for anything outside of the database: no disk, no network, no hashing of a
password (docs/postgresql.md).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import DatabaseError, close_old_connections, connection, transaction

from appliance.contract.errors import PlainSightError

_log = logging.getLogger(__name__)
FIRST: Final[list[Callable[[], object]]] = []
"""What takes the lock; the custody log registers it, since this app does not know it."""


class _Running(threading.local):
    depth = 0


_running: Final = _Running()


@contextmanager
def one_deed() -> Iterator[None]:
    """One transaction, or a part of the deed around it, that no other deed runs beside."""
    with transaction.atomic():
        if not in_deed() and connection.features.has_select_for_update:
            for take in FIRST:
                take()
        _running.depth += 1
        try:
            yield
        finally:
            _running.depth -= 1


def in_deed() -> bool:
    """Tell whether this thread is in a deed."""
    return _running.depth > 0


def after_commit(work: Callable[[], object]) -> None:
    """Do `work` once the deed is committed: what a job of the worker does again until it is done.

    Where a disk, a store or the database says no then, the deed stands all the same, so nobody is told that it failed;
    it is logged.
    """

    def try_once() -> None:
        try:
            work()
        except (PlainSightError, OSError, DatabaseError) as error:
            _log.warning("what follows from a deed is left to the worker: %(problem)s", {"problem": error})
            # one that is broken is of no use to whatever comes next
            close_old_connections()

    transaction.on_commit(try_once)


def take_turn(name: str) -> None:
    """Wait until no other transaction is at what `name` names, and keep others away from it until this one ends.

    It is for what reads and changes without an entry in the custody log. On SQLite the transaction itself does that.
    Take it before any lock of a row.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
