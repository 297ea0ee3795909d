"""Custody entries about the control page."""

from __future__ import annotations

from archive.custody.kinds import register

COUNTS = register("control-counts", "the archive's counts were given to its operator's control page, first of that day")
