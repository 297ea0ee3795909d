"""Triggers that refuse to change or delete custody entries, in each database's own words.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any

TABLE = "custody_entry"
MESSAGE = "the custody log is append-only"

_SQLITE = [
    f"CREATE TRIGGER {TABLE}_no_{deed.lower()} BEFORE {deed} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    for deed in ("UPDATE", "DELETE")
]
_POSTGRESQL = [
    f"""CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$""",
    f"""CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_refuse()""",
    f"""CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()""",
]


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    statements = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement)


def first_head(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the one row that says where the chain ends."""
    apps.get_model("custody", "Head").objects.create(pk=1, n=0, digest="0" * 64)
