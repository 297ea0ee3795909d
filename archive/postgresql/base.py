"""Where Django looks for the engine."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from . import driver


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, on our connections."""

    Database: Any = driver
