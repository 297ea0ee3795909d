"""Custody entries about sealing."""

from __future__ import annotations

from archive.custody.kinds import register

REBUILD = register("rebuild", "the archive's row was made again from the package", "outcome", "package_sha256")
SEAL = register("seal", "sealed, receipt signed", "outcome", "package_sha256")
