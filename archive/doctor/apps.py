"""The doctor app."""

from __future__ import annotations

from django.apps import AppConfig


class DoctorConfig(AppConfig):
    """Known to Django for its command."""

    name = "archive.doctor"
