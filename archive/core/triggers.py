"""Triggers that refuse a change, in each database's own words, for the tables of which no deed ever changes a row so.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Refusal:
    """A change that is refused."""

    name: str
    """Name of the trigger."""
    change: Literal["INSERT", "UPDATE", "DELETE"]
    table: str
    condition: str
    """SQL over OLD and NEW that tells when; it may say IS DISTINCT FROM."""
    message: str
    """What whoever tries is told."""


def install(schema_editor: Any, refusals: Iterable[Refusal]) -> None:
    """Make the triggers."""
    sqlite = schema_editor.connection.vendor == "sqlite"
    for one in refusals:
        for statement in _sqlite(one) if sqlite else _postgresql(one):
            # without parameters a percent sign is one, as in LIKE
            schema_editor.execute(statement, None)


def _sqlite(one: Refusal) -> list[str]:
    # IS NOT compares as IS DISTINCT FROM does, which SQLite knows only from 3.39 on
    when = one.condition.replace("IS DISTINCT FROM", "IS NOT")
    refuse = f"BEGIN SELECT RAISE(ABORT, '{one.message}'); END"
    return [f"CREATE TRIGGER {one.name} BEFORE {one.change} ON {one.table} WHEN {when} {refuse}"]


def _postgresql(one: Refusal) -> list[str]:
    row = "OLD" if one.change == "DELETE" else "NEW"
    return [
        f"""CREATE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF {one.condition} THEN RAISE EXCEPTION '{one.message}'; END IF; RETURN {row}; END $$""",
        f"CREATE TRIGGER {one.name} BEFORE {one.change} ON {one.table} FOR EACH ROW EXECUTE FUNCTION {one.name}()",
    ]
