"""The grants app."""

from __future__ import annotations

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    """Access to a student's recordings: given for a purpose, until a day, and reviewed every quarter."""

    name = "archive.records.grants"
