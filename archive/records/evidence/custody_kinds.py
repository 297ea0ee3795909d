"""Custody entries about evidence packages that staff and parents take for themselves."""

from __future__ import annotations

from archive.custody.kinds import register

EVIDENCE = register("evidence", "took out an evidence package", "ground")
EVIDENCE_WHOLE = register("evidence-whole", "the evidence package was complete", "sha256", "bytes")
