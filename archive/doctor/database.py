"""The database: whether it is there, whole, of this version, and guards the custody log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from appliance.contract.check_result import CheckResult
from archive.core.triggers import names as trigger_names
from archive.custody.triggers import REFUSALS

_SET_UP = "run 'plainsight-archive migrate' as the archive's user"

_MEND_SERVER = (
    "see that the server runs and lets the archive's user in, or mend [database] in archive.toml (docs/postgresql.md)"
)


@dataclass(frozen=True)
class DatabaseLook:
    """The database."""

    vendor: str
    """`sqlite` or `postgresql`."""
    error: str = ""
    """Why it could not be read; empty if it could."""
    pending: tuple[str, ...] = ()
    """Migrations that were not applied."""
    damage: tuple[str, ...] = ()
    """What SQLite's quick check found, at most ten lines."""
    checked: bool = False
    """Whether the quick check was made."""
    triggers: frozenset[str] = frozenset()
    """Triggers that are there."""
    unsafe: tuple[str, ...] = ()
    """Settings of a server that lose in a power cut what it said was committed."""
    alone: bool = False
    """Whether several servers are named, and no commit waits for a standby."""
    place: str = ""
    """Which database of which server it is; empty for a file."""


def look(*, deep: bool) -> DatabaseLook:
    """Look at the database; with `deep`, read all of it, which takes seconds for each gigabyte."""
    vendor = connection.vendor
    place = _place() if vendor == "postgresql" else ""
    if vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return DatabaseLook(vendor, f"there is no {connection.settings_dict['NAME']}")
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        checked = deep and vendor == "sqlite"
        return DatabaseLook(
            vendor,
            pending=tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan),
            damage=tuple(one for one in _column("PRAGMA quick_check(10)") if one != "ok") if checked else (),
            checked=checked,
            triggers=frozenset(_column(_TRIGGERS[vendor])),
            unsafe=tuple(_column(_UNSAFE)) if vendor == "postgresql" else (),
            alone=vendor == "postgresql" and _has_no_standby(),
            place=f"{place}, PostgreSQL {_column('SHOW server_version')[0]}" if place else "",
        )
    except DatabaseError as error:
        return DatabaseLook(vendor, " ".join(str(error).split()), place=place)


def _place() -> str:
    wanted = connection.settings_dict
    host = wanted["HOST"] or "this system's socket"
    return f"{wanted['NAME']} at {host}, port {wanted['PORT']}"


def _has_no_standby() -> bool:
    return "," in connection.settings_dict["HOST"] and not _column("SHOW synchronous_standby_names")[0]


_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
}
_UNSAFE = """SELECT name FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name"""


def _column(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(row[0]) for row in cursor.fetchall()]


def check(seen: DatabaseLook) -> Iterator[CheckResult]:
    """Yield what is wrong with the database."""
    if seen.error and seen.place:
        found = f"{seen.place}: {seen.error}"
        yield CheckResult("database", "wrong", found, _MEND_SERVER)
        return
    if seen.error:
        yield CheckResult("database", "wrong", seen.error, f"{_SET_UP}, or restore the database from a backup")
        return
    if seen.pending:
        found = f"{len(seen.pending)} changes were not made, first {seen.pending[0]}"
        yield CheckResult("database", "wrong", found, _SET_UP)
    elif seen.damage:
        found = f"the file is damaged: {seen.damage[0]}"
        yield CheckResult("database", "wrong", found, "stop the archive, keep the file, restore a backup, run 'audit'")
    else:
        found = f"{seen.place or seen.vendor}, all changes made{', whole' if seen.checked else ''}"
        yield CheckResult("database", "ok", found)
    if seen.unsafe:
        remedy = "switch that on in postgresql.conf: a box deletes its recording against a receipt for what is there"
        yield CheckResult("database server", "wrong", f"{', '.join(seen.unsafe)} is off", remedy)
    if seen.alone:
        found = "several servers are named, and no commit waits for a standby"
        remedy = "set synchronous_standby_names: else a fail-over loses what boxes have a receipt for (postgresql.md)"
        yield CheckResult("database standby", "warning", found, remedy)
    missing = sorted(trigger_names(seen.vendor, REFUSALS) - seen.triggers)
    if missing and not seen.pending:
        remedy = "find out who took them away; run 'plainsight-archive check-custody', and restore a backup"
        yield CheckResult("custody log", "wrong", f"nothing guards it: {', '.join(missing)} is gone", remedy)
    elif not missing:
        yield CheckResult("custody log", "ok", "the database refuses to change or delete entries")
