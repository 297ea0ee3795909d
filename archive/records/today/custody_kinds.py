"""Custody entries about reports."""

from __future__ import annotations

from archive.custody.kinds import register

READINESS = register("readiness", "the readiness report was sent", "rooms", "not_ready")
