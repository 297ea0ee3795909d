"""Triggers that refuse to change, replace or delete custody entries and published heads.

And the words in which other apps' triggers ask for an entry: no row of theirs tells of a deed that none stands behind.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import ALWAYS, Refusal

MESSAGE: Final = "the custody log is append-only"
REFUSALS: Final = tuple(
    refusal
    for table in ("custody_entry", "custody_signedhead", "custody_timestamp")
    for refusal in (
        Refusal(f"{table}_no_update", "UPDATE", table, ALWAYS, MESSAGE),
        Refusal(f"{table}_no_delete", "DELETE", table, ALWAYS, MESSAGE),
    )
)


def no_entry(codes: str | tuple[str, ...], subject: str = "", **members: str | bool) -> str:
    """Return the SQL condition that no entry of these codes says what a row of a trigger does.

    `subject` is SQL for the identifier that the entry is about, `members` SQL for what it says, by name, or that itself
    where it is true or false. Entries have identifiers and days with or without their dashes, as databases do, so they
    are compared without.
    """
    known = [codes] if isinstance(codes, str) else codes
    said = [f"e.code IN ({', '.join(repr(one) for one in known)})"]
    said += [f"e.subject_id = {subject}"] if subject else []
    for name, value in members.items():
        if isinstance(value, bool):
            said.append(f"""e.detail LIKE '%"{name}":{str(value).lower()}%'""")
            continue
        plain = f"replace(CAST({value} AS text), '-', '')"
        said.append(f"""replace(e.detail, '-', '') LIKE '%"{name}":"' || {plain} || '"%'""")
    return f"NOT EXISTS (SELECT 1 FROM custody_entry e WHERE {' AND '.join(said)})"  # noqa: S608 - our own names


def becomes(column: str) -> str:
    """Return the SQL condition that a column of a trigger's row gets a value that it had none of."""
    return f"NEW.{column} IS NOT NULL AND OLD.{column} IS NULL"


def taken_back(column: str) -> str:
    """Return the SQL condition that it loses the one that it had."""
    return f"NEW.{column} IS NULL AND OLD.{column} IS NOT NULL"


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)


def first_head(apps: Any, schema_editor: Any) -> None:
    """Make the one row that says where the chain ends."""
    heads = apps.get_model("custody", "Head").objects.using(schema_editor.connection.alias)
    heads.create(pk=1, n=0, digest="0" * 64, line=b"")
