"""The access app."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.checks import Tags, register


class AccessConfig(AppConfig):
    """Decides who may do what, and enters who signed in and who was refused."""

    name = "archive.access"

    def ready(self) -> None:
        """Connect to the signals of signing in, and have the table of routes checked."""
        from archive.accounts.forms import sign_in_throttled  # noqa: PLC0415 - models are there only once apps are ready

        from . import sign_ins  # noqa: PLC0415 - the same
        from .checks import check_routes  # noqa: PLC0415 - the same

        register(check_routes, Tags.security)
        user_logged_in.connect(sign_ins.signed_in, dispatch_uid="access-sign-in")
        user_login_failed.connect(sign_ins.refused, dispatch_uid="access-sign-in-refused")
        sign_in_throttled.connect(sign_ins.throttled, dispatch_uid="access-sign-in-throttled")
