"""Custody entries about where boxes stand."""

from __future__ import annotations

from archive.custody.kinds import register

PLACE = register("place", "a box was put into a room", "room")
