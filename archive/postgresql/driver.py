"""psycopg as Django uses it (PEP 249), with connections that wait for an answer only so long."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Any, Self, TypeVar

import psycopg

# what Django asks a driver for
from psycopg import (
    Binary,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

__all__ = [
    "Binary",
    "Connection",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "OverdueError",
    "ProgrammingError",
    "connect",
    "in_time",
]

_Wanted = TypeVar("_Wanted")
_Result = TypeVar("_Result")


class Connection(psycopg.Connection[Any]):
    """A connection to a server that may hang."""

    answer_s: float = math.inf
    """So long anything may take, in seconds: a statement, a commit."""

    @classmethod
    def connect(cls, conninfo: str = "", *, answer_s: float = math.inf, **others: Any) -> Self:  # type: ignore[override]
        """Connect as psycopg does; `answer_s` becomes the connection's."""
        made = super().connect(conninfo, **others)
        made.answer_s = answer_s
        return made

    def wait(self, gen: Generator[Any, Any, _Result], *arguments: Any, **options: Any) -> _Result:
        """Return what the server answers; raise psycopg.OperationalError, and close, where that takes too long."""
        try:
            return super().wait(in_time(gen, self.answer_s), *arguments, **options)
        except OverdueError:
            # what comes later would be taken for the answer to something else
            self.close()
            raise


class OverdueError(OperationalError):
    """No answer came."""


def in_time(work: Generator[_Wanted, Any, _Result], seconds: float) -> Generator[_Wanted, Any, _Result]:
    """Yield and return what `work` does, until `seconds` are over; then raise OverdueError.

    It is looked at when nothing came: psycopg tells that ten times a second.
    """
    deadline = time.monotonic() + seconds
    try:
        wanted = next(work)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise OverdueError(f"the database server did not answer for {seconds:g} s; its connection is given up")
            wanted = work.send(ready)
    except StopIteration as done:
        result: _Result = done.value
        return result


connect = Connection.connect
