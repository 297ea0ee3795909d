"""The control app."""

from __future__ import annotations

from django.apps import AppConfig


class ControlConfig(AppConfig):
    """The form of the counts, the entry that they were given, and the command that makes the page."""

    name = "archive.control"
