"""Custody entries about the log itself."""

from __future__ import annotations

from .kinds import register

CLOCK = register("clock-confirmed", "said that the archive's clock was right")
