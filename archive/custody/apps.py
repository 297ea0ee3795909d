"""The custody app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


def _signed_in(user: Any, **_: object) -> None:
    from .kinds import Kind  # noqa: PLC0415 - models are not loaded when this module is
    from .log import record  # noqa: PLC0415

    record(Kind.SIGN_IN, actor=f"user:{user.get_username()}")


class CustodyConfig(AppConfig):
    """Writes sign-ins into the log."""

    name = "archive.custody"

    def ready(self) -> None:
        """Connect to Django's signal."""
        user_logged_in.connect(_signed_in, dispatch_uid="custody-sign-in")
