"""The database's clock, which decides where hosts differ.

Several hosts have a clock each and one database, so what they must agree on goes by the database's: leases, signs of
life, what rooms show. A host whose own clock is off from it by more than SLACK says so, runs no jobs, is not ready for
requests, and enters in the custody log what time the database has. A file has no clock of its own: on SQLite nothing of
this ever shows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from appliance.contract.times import parse_wall, wall

SLACK: Final = timedelta(minutes=10)
"""By so much the clocks of several hosts may differ."""


def own_now() -> datetime:
    """Return what this host's clock shows."""
    return datetime.now(UTC)


def right(at: str, database_now: datetime) -> str:
    """Return a time by this host's clock, or, where that is off from the database's, by the database's."""
    off = own_now() - database_now
    return at if abs(off) <= SLACK else wall(parse_wall(at) - off)


def why_off() -> str:
    """Return in words how far this host's clock is off from the database's, where that is too far; else nothing.

    Raises DatabaseError.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        database_now: datetime = cursor.fetchone()[0]
    return told(own_now(), database_now)


def told(own: datetime, database: datetime) -> str:
    """Return in words how far two clocks are apart, where that is too far; else nothing. Pure."""
    if abs(own - database) <= SLACK:
        return ""
    return f"this host's clock shows {wall(own)}, and the database server's {wall(database)}: set the wrong one right"
