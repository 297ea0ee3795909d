"""Writing down that the counts were given."""

from __future__ import annotations

import logging

from appliance.contract.times import now
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE
from archive.custody.log import record
from archive.custody.models import Entry

from .custody_kinds import COUNTS

_log = logging.getLogger(__name__)


def note_given() -> None:
    """Note that the counts are given: each time in the log, and the first time of a day (UTC) in the custody log.

    An operator asks every few minutes; an entry each time would bury the entries about recordings. Call it before
    anything is given: it raises StorageError, KeyFileError or DatabaseError where the entry cannot be made.
    """
    if _is_entered():
        _log.info("the control page gets the counts")
        return
    with one_deed():
        if not _is_entered():
            record(COUNTS, actor=ARCHIVE)
    _log.info("the control page gets the counts, for the first time today")


def last_given() -> Entry | None:
    """Return the entry of the last day on which the counts were given."""
    return Entry.objects.filter(code=COUNTS.code).last()


def _is_entered() -> bool:
    last = last_given()
    return last is not None and last.at[:10] == now()[:10]
