"""Custody entries about the archive as a whole."""

from __future__ import annotations

from archive.custody.kinds import register

EXPORT_ALL = register(
    "archive-exported", "exported the whole archive with its keys, on the archive's host", "recipient"
)
