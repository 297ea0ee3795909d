"""The app of the papers: their templates, and their words in Spanish."""

from __future__ import annotations

from django.apps import AppConfig


class PapersConfig(AppConfig):
    """Papers about what is handed over."""

    name = "archive.records.disclosures.papers"
