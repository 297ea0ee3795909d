"""What the box calls the software that runs on it, in headers and records."""

from __future__ import annotations

import importlib.metadata


def software() -> str:
    """Return name and version."""
    try:
        return f"plainsight {importlib.metadata.version('plainsight')}"
    except importlib.metadata.PackageNotFoundError:
        return "plainsight (source tree)"
