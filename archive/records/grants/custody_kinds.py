"""Custody entries about reviews of access."""

from __future__ import annotations

from archive.custody.kinds import register

REVIEW = register("review", "all grants were reviewed", "quarter", "grants", "ended")
