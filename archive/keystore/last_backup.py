"""When the last whole backup was made, for whoever watches that there is one.

It stands in a file beside the database and not in a row: the database of a backup cannot tell that it was finished.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.durable_files import replace
from appliance.contract.times import parse_wall, wall
from archive.core.database_clock import SLACK
from archive.store.local import told_as

FILE: Final = "last-backup.json"
"""In the archive's folder."""


def note_backup(backup: Path, at: datetime) -> None:
    """Note that a backup is whole: database, packages, and the keys in every place. Raises StorageError."""
    path: Path = settings.ARCHIVE_HOME / FILE
    with told_as(str(path)):
        replace(
            path,
            json.dumps({"folder": str(backup.parent), "name": backup.name, "at": wall(at)}).encode(),
            mode=0o640,
            durable=True,
        )


def last_backup() -> datetime | None:
    """Return when the last whole backup was begun; None if none was, or nobody knows. Raises StorageError.

    Of one of a time to come nobody knows: a wrong clock dated it, and its age would be none for as long.
    """
    try:
        at = parse_wall(_noted()["at"])
    except (ValueError, KeyError, TypeError):
        return None
    return at if at <= timezone.now() + SLACK else None


def place_of_last_backup() -> str:
    """Return the folder that the last whole backup went to; empty where nobody knows. Raises StorageError."""
    return str(_noted().get("folder", ""))


def _noted() -> dict[str, Any]:
    path: Path = settings.ARCHIVE_HOME / FILE
    with told_as(str(path)):
        kept = path.read_bytes() if path.exists() else b"{}"
    try:
        found = json.loads(kept)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
