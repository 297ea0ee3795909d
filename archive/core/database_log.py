"""What was deleted is gone from the database's files, not only from its rows.

SQLite overwrites in its file what is deleted (`secure_delete`, archive/database.py). Its log of writes keeps pages as
they were before that, until it is brought into the file and cut off. On PostgreSQL that is the server's own:
docs/postgresql.md.
"""

from __future__ import annotations

import logging
from typing import Final

from django.db import connection

from appliance.contract.stop_signal import StopSignal

EMPTY_S: Final = 3600.0
"""How often the worker empties the log, in seconds: so long the file's log has what was removed by any deed."""
WAIT_MS: Final = 250
"""Writers wait as long as this does for readers, so it is short, in milliseconds; it is asked for again."""
_log = logging.getLogger(__name__)


def empty_log() -> bool:
    """Bring all that was committed into the database's file, and cut its log off; return whether that was done.

    False while somebody reads what was there before, or in a transaction: ask again. A server's database has no log
    that this could reach: True.
    """
    if connection.vendor != "sqlite":
        return True
    if connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (before,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _frames, _done = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(before)}")
    return not busy


def empty_log_now_and_then(_stop: StopSignal) -> None:
    """Do that as a job of the worker: for what accounts, meetings, uploads and anything else no longer have."""
    if not empty_log():
        _log.info("the database's log is in use; it is emptied later")
