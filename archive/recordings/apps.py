"""The recordings app."""

from __future__ import annotations

from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    """Recordings."""

    name = "archive.recordings"
