"""Backups: whether there is a place for them, and how old the last one is.

Boxes delete what this archive has a receipt for, so what was sealed since the last backup is lost with this disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Min

from appliance.contract.check_result import CheckResult, Verdict
from archive.configuration.storage import Backup
from archive.control.judging import BACKUP_LATE, BACKUP_WRONG
from archive.keystore.last_backup import last_backup
from archive.recordings.models import Recording
from archive.ui import words

_NAME: Final = "name [backup] folder, keys and generation_keys in archive.toml (docs/backup.md)"
_RUN: Final = "look at 'journalctl -u plainsight-archive-backup', and run 'sudo plainsight-archive backup'"


@dataclass(frozen=True)
class BackupLook:
    """What there is of backups."""

    chosen: Backup
    """The places."""
    last: datetime | None
    """When the last whole one was made; None: never."""
    sealed: datetime | None
    """When the oldest recording that is kept was sealed; None: there is none."""


def look() -> BackupLook:
    """Read it."""
    kept = Recording.objects.filter(sealed_at__isnull=False, destroyed_at=None)
    return BackupLook(
        settings.ARCHIVE.backup,
        last_backup(),
        kept.aggregate(oldest=Min("sealed_at"))["oldest"],
    )


def check(seen: BackupLook, now: datetime) -> Iterator[CheckResult]:
    """Yield what is wrong with the backups."""
    chosen, since = seen.chosen, seen.last or seen.sealed
    made = words.ago((now - seen.last).total_seconds()) if seen.last else ""
    verdict: Verdict = "wrong" if since is not None and now - since > BACKUP_WRONG else "warning"
    if seen.last is None:
        remedy = _NAME if chosen.folder is None else _RUN
        yield CheckResult("backup", verdict, "none was ever made: what is here is lost with this disk", remedy)
    elif now - seen.last > BACKUP_LATE:
        found = f"the last one was made {made}; what was sealed since is lost with this disk"
        yield CheckResult("backup", verdict, found, _NAME if chosen.folder is None else _RUN)
    elif chosen.keys is None or chosen.generation_keys is None:
        found = "the keys have no second place: without them nobody can hear what a backup holds"
        yield CheckResult("backup", "warning", found, _NAME)
    else:
        yield CheckResult("backup", "ok", f"the last one was made {made}")
