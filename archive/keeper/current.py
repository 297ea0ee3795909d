"""The keeper of this process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from .base import Keeper
from .file import FileKeeper


@cache
def keeper() -> Keeper:
    """Return the keeper; raise KeyFileError as long as its keys cannot be read."""
    return FileKeeper.load(settings.ARCHIVE_HOME / "keys")
