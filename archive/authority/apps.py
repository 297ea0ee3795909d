"""The authority app."""

from __future__ import annotations

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """The district's certificate authority."""

    name = "archive.authority"
