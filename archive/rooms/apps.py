"""The rooms app."""

from __future__ import annotations

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    """Boxes and rooms."""

    name = "archive.rooms"
