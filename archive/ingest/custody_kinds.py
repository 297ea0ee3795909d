"""Custody entries about what boxes send."""

from __future__ import annotations

from archive.custody.kinds import register

INGEST = register("ingest", "began to arrive")
CLOSE = register("close", "the closing record arrived", "reason", "frames")
