"""The ingest app."""

from __future__ import annotations

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.ingest"
