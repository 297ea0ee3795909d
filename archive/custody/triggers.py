"""Triggers that refuse to change, replace or delete custody entries, in each database's own words.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any

MESSAGE = "the custody log is append-only"
TABLES = {"custody_entry": "n", "custody_signedhead": "n", "custody_timestamp": "n"}
"""Append-only tables, and the key of each."""


def _sqlite(table: str, key: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        # REPLACE deletes the row in its way without asking the trigger above
        f"""CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) {refuse}""",  # noqa: S608 - our own names
    ]


def _postgresql(table: str) -> list[str]:
    return [
        f"""CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$""",
        f"""CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_refuse()""",
        f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()""",
    ]


def names(vendor: str) -> set[str]:
    """Return the names of the triggers in a database of this kind."""
    ends = ("no_update", "no_delete", "no_replace") if vendor == "sqlite" else ("no_change", "no_truncate")
    return {f"{table}_{end}" for table in TABLES for end in ends}


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    sqlite = schema_editor.connection.vendor == "sqlite"
    for table, key in TABLES.items():
        for statement in _sqlite(table, key) if sqlite else _postgresql(table):
            schema_editor.execute(statement, None)


def first_head(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the one row that says where the chain ends."""
    apps.get_model("custody", "Head").objects.create(pk=1, n=0, digest="0" * 64, line=b"")
