"""The access app."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.checks import Tags, register


class AccessConfig(AppConfig):
    """Decides who may do what, and enters who signed in and who was refused."""

    name = "archive.access"

    def ready(self) -> None:
        """Connect to what happens at sign-ins, and have the table of routes and the offered roles checked."""
        from archive.accounts import events  # noqa: PLC0415 - models are there only once apps are ready
        from archive.core.errors import register_family  # noqa: PLC0415 - the same

        from . import sign_ins  # noqa: PLC0415 - the same
        from .checks import check_offered_roles, check_routes  # noqa: PLC0415 - the same
        from .views import asks_for_a_family  # noqa: PLC0415 - the same

        register(check_routes, Tags.security)
        register_family(asks_for_a_family)
        register(check_offered_roles, Tags.security)
        user_logged_in.connect(sign_ins.signed_in, dispatch_uid="access-sign-in")
        user_login_failed.connect(sign_ins.refused, dispatch_uid="access-sign-in-refused")
        events.sign_in_throttled.connect(sign_ins.throttled, dispatch_uid="access-sign-in-throttled")
        events.second_factor_refused.connect(sign_ins.second_factor_refused, dispatch_uid="access-second-factor")
        events.provider_refused.connect(sign_ins.provider_refused, dispatch_uid="access-provider")
        events.factor_added.connect(sign_ins.factor_added, dispatch_uid="access-factor")
        events.factor_removed.connect(sign_ins.factor_removed, dispatch_uid="access-factor-end")
        events.recovery_code_used.connect(sign_ins.recovery_code_used, dispatch_uid="access-recovery-code")
        events.password_set.connect(sign_ins.password_set, dispatch_uid="access-password")
        events.sessions_ended.connect(sign_ins.sessions_ended, dispatch_uid="access-sessions-end")
