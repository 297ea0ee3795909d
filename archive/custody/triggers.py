"""Triggers that refuse to change, replace or delete custody entries and published heads."""

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


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)


def first_head(apps: Any, schema_editor: Any) -> None:
    """Make the one row that says where the chain ends."""
    heads = apps.get_model("custody", "Head").objects.using(schema_editor.connection.alias)
    heads.create(pk=1, n=0, digest="0" * 64, line=b"")
