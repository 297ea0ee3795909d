"""The enrollment app."""

from __future__ import annotations

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    """Claims and certificates of boxes."""

    name = "archive.enrollment"
