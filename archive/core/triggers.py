"""Triggers, in each database's own words: some refuse a change that no deed ever makes, others note that one was made.

Refusals stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md. Both
engines refuse the same (tests/archive/core/test_triggers.py), with an IntegrityError that has the refusal's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

ALWAYS: Final = "1 = 1"
"""Condition of a change that is refused whatever the row is."""
Change = Literal["INSERT", "UPDATE", "DELETE"]


@dataclass(frozen=True)
class Refusal:
    """A change that is refused."""

    name: str
    """Name of the trigger."""
    change: Change
    table: str
    condition: str
    """SQL over OLD and NEW that tells when; it may say IS DISTINCT FROM."""
    message: str
    """What whoever tries is told."""


@dataclass(frozen=True)
class Note:
    """A change that another table gets rows for, in the same transaction and whichever way it is made."""

    name: str
    """Name of the trigger."""
    change: Change
    table: str
    into: str
    """The other table, with its columns in brackets."""
    rows: str
    """A SELECT over OLD and NEW that gives its rows."""
    columns: tuple[str, ...] = ()
    """Of an update, those that it must name one of."""
    condition: str = ALWAYS
    """SQL over OLD and NEW that tells when."""


def install_notes(schema_editor: Any, notes: Iterable[Note]) -> None:
    """Make the triggers that note changes."""
    for one in notes:
        change = f"{one.change} OF {', '.join(one.columns)}" if one.columns else one.change
        after = f"AFTER {change} ON {one.table} FOR EACH ROW WHEN ({one.condition})"
        insert = f"INSERT INTO {one.into} {one.rows};"
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"CREATE TRIGGER {one.name} {after} BEGIN {insert} END", None)
        else:
            body = f"$$ BEGIN {insert} RETURN NULL; END $$"
            schema_editor.execute(f"CREATE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS {body}", None)
            schema_editor.execute(f"CREATE TRIGGER {one.name} {after} EXECUTE FUNCTION {one.name}()", None)


def install(schema_editor: Any, refusals: Iterable[Refusal]) -> None:
    """Make the triggers; where a row is not to be deleted, also those against the ways around a DELETE.

    Those ways are each engine's own: SQLite's REPLACE deletes rows without asking their trigger, and PostgreSQL's
    TRUNCATE empties a table without looking at a row.
    """
    refusals = tuple(refusals)
    sqlite = schema_editor.connection.vendor == "sqlite"
    statements = [statement for one in refusals for statement in (_sqlite(one) if sqlite else _postgresql(one))]
    for table, message in _kept(refusals).items():
        statements += _no_replace(schema_editor, table, message) if sqlite else _no_truncate(table, message)
    for statement in statements:
        # without parameters a percent sign is one, as in LIKE
        schema_editor.execute(statement, None)


def names(vendor: str, refusals: Iterable[Refusal]) -> set[str]:
    """Return the names of the triggers that `install` makes in a database of this kind."""
    refusals = tuple(refusals)
    around = ("no_replace_by_insert", "no_replace_by_update") if vendor == "sqlite" else ("no_truncate",)
    return {one.name for one in refusals} | {f"{table}_{end}" for table in _kept(refusals) for end in around}


@contextmanager
def set_aside(connection: Any) -> Iterator[None]:
    """Have no trigger until the end of this block: rows of a backup were let in once. Call it in a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            aside = [(f"DROP TRIGGER {name}", statement) for name, statement in cursor.fetchall()]
        else:
            cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
            tables = [name for (name,) in cursor.fetchall()]
            aside = [
                (f"ALTER TABLE {one} DISABLE TRIGGER USER", f"ALTER TABLE {one} ENABLE TRIGGER USER") for one in tables
            ]
        for off, _ in aside:
            cursor.execute(off, None)
        yield
        if connection.vendor == "postgresql":
            # a table with checks still to be made is not altered
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, on in aside:
            cursor.execute(on, None)


def _kept(refusals: Iterable[Refusal]) -> dict[str, str]:
    """Return the tables of which rows are not deleted, each with what whoever tries is told."""
    return {one.table: one.message for one in refusals if one.change == "DELETE"}


def _sqlite(one: Refusal) -> list[str]:
    # IS NOT compares as IS DISTINCT FROM does, which SQLite knows only from 3.39 on
    when = one.condition.replace("IS DISTINCT FROM", "IS NOT")
    refuse = f"BEGIN SELECT RAISE(ABORT, '{one.message}'); END"
    return [f"CREATE TRIGGER {one.name} BEFORE {one.change} ON {one.table} WHEN {when} {refuse}"]


def _no_replace(schema_editor: Any, table: str, message: str) -> list[str]:
    """Refuse to put a row in the place of another one, whichever of the table's keys makes them meet."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    inserted, updated = [], []
    for columns in _keys(schema_editor.connection, table):
        same = " AND ".join(f"o.{column} = NEW.{column}" for column in columns)
        moved = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        meets = f"EXISTS (SELECT 1 FROM {table} o WHERE {same})"  # noqa: S608 - our own names
        inserted.append(meets)
        updated.append(f"(({moved}) AND {meets})")
    return [
        f"CREATE TRIGGER {table}_no_replace_by_insert BEFORE INSERT ON {table} WHEN {' OR '.join(inserted)} {refuse}",
        f"CREATE TRIGGER {table}_no_replace_by_update BEFORE UPDATE ON {table} WHEN {' OR '.join(updated)} {refuse}",
    ]


def _keys(connection: Any, table: str) -> Iterator[tuple[str, ...]]:
    """Yield the columns of each key of a table: the primary one and whatever else is unique over all rows."""
    with connection.cursor() as cursor:
        # a column that is the key by itself may have no index of its own
        cursor.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE pk ORDER BY pk")  # noqa: S608 - as above
        primary = tuple(name for (name,) in cursor.fetchall())
        cursor.execute(f"SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" AND NOT partial")  # noqa: S608
        found = {primary}
        for (index,) in cursor.fetchall():
            cursor.execute(f"SELECT name FROM pragma_index_info('{index}')")  # noqa: S608
            found.add(tuple(name for (name,) in cursor.fetchall()))
    yield from sorted(columns for columns in found if all(columns))


def _postgresql(one: Refusal) -> list[str]:
    row = "OLD" if one.change == "DELETE" else "NEW"
    return [
        f"""CREATE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF {one.condition} THEN {_raise(one.message)} END IF; RETURN {row}; END $$""",
        f"CREATE TRIGGER {one.name} BEFORE {one.change} ON {one.table} FOR EACH ROW EXECUTE FUNCTION {one.name}()",
    ]


def _no_truncate(table: str, message: str) -> list[str]:
    name = f"{table}_no_truncate"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_raise(message)} END $$",
        f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
    ]


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"
