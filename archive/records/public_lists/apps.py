"""The app of the public lists."""

from __future__ import annotations

from django.apps import AppConfig


class PublicListsConfig(AppConfig):
    """Lists that the district must keep and show, made from the archive's own rows."""

    name = "archive.records.public_lists"
