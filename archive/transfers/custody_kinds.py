"""Custody entries about evidence packages on their way in; what is taken in is entered by archive.sealing."""

from __future__ import annotations

from archive.custody.kinds import register

BEGUN = register("transfer-begun", "a recording of another archive was announced", "upload")
ARRIVED = register("transfer-arrived", "all of another archive's evidence package arrived", "upload", "bytes")
REFUSED = register("transfer-refused", "another archive's evidence package was not taken in", "upload")
GIVEN_UP = register("transfer-given-up", "another archive's evidence package was given up", "upload")
