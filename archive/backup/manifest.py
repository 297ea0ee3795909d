"""What a backup is made of, signed by the archive that made it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from appliance.contract.errors import FormatError, SettingsError
from appliance.contract.ids import Digest
from appliance.contract.keys import PublicKey
from appliance.contract.signed import SignedModel
from appliance.contract.times import WallTime

MANIFEST: Final = "backup.tsv"
DATABASE: Final = "archive.sqlite3"
CONFIGURATION: Final = "archive.toml"
_NAME: Final = re.compile(r"\d{8}T\d{6}Z")
FORMAT: Final = "%Y%m%dT%H%M%SZ"


class BackupManifest(SignedModel):
    """A backup of the database, and what belongs to it elsewhere."""

    type: Literal["plainsight/backup/1"] = "plainsight/backup/1"
    archive_key: PublicKey
    made_at: WallTime
    software: Annotated[str, Field(max_length=100)]
    """Version that made it; the same one restores it."""
    database_sha256: Digest
    entries: Annotated[int, Field(ge=0)]
    """Custody entries in it."""
    recordings: Annotated[int, Field(ge=0)]
    """Sealed packages that belong to it."""
    generation: Annotated[str, Field(max_length=40)]
    """The copy of the key store that was made with it; empty if none could be made."""


def backups_in(folder: Path) -> list[str]:
    """Return the complete backups in a folder, oldest first."""
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(one.name for one in found if _NAME.fullmatch(one.name) and (one / MANIFEST).is_file())


def chosen(folder: Path, name: str | None) -> Path:
    """Return the folder of a backup, the newest where none is named; raise SettingsError.

    A backup is named by the clock of then. Where that was wrong the log tells, which only grows: nothing is chosen
    then.
    """
    names = backups_in(folder)
    if not names:
        raise SettingsError(f"{folder} holds no complete backup", field="--from")
    if name is not None and name not in names:
        raise SettingsError(f"{folder} has no backup {name!r}; there are {', '.join(names)}", field="--name")
    if name is not None:
        return folder / name
    entries = {one: _entries(folder / one) for one in names}
    fullest = max(names, key=lambda one: (entries[one], one))
    if fullest != names[-1]:
        raise SettingsError(
            f"which backup is the newest is in doubt: {names[-1]} has {entries[names[-1]]} entries of the custody log, "
            f"and {fullest} has {entries[fullest]}. The clock was wrong when one of them was made, or an older backup "
            "was restored between them; look which one to take, and name it",
            field="--name",
        )
    return folder / fullest


def _entries(folder: Path) -> int:
    """Return how many custody entries a backup says it has; -1 where it cannot be read, which is seen when it is."""
    try:
        return BackupManifest.read((folder / MANIFEST).read_bytes(), None).entries
    except (FormatError, OSError):
        return -1
