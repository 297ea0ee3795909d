"""The access app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


def _signed_in(user: Any, **_: object) -> None:
    from archive.custody.actors import Actor, Subject  # noqa: PLC0415 - models are not loaded when this module is
    from archive.custody.log import record  # noqa: PLC0415

    from .custody_kinds import SIGN_IN  # noqa: PLC0415

    record(SIGN_IN, actor=Actor.user(user.pk), subject=Subject.user(user.pk))


class AccessConfig(AppConfig):
    """Decides who may do what, and enters who signed in."""

    name = "archive.access"

    def ready(self) -> None:
        """Connect to Django's signal."""
        user_logged_in.connect(_signed_in, dispatch_uid="access-sign-in")
