"""list-users: who can sign in, and what each may do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from archive.access.decisions import granted_deeds
from archive.accounts.models import User
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """List the accounts."""

    help = "List the accounts: name, whether the account works, since when it has not, and what it may do."
    example = "plainsight-archive list-users --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --json."""
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """List them."""
        now = timezone.now()
        members = [_describe(user, active=user.active_at(now)) for user in User.objects.order_by("username")]
        lines = [
            f"{one['user'] or one['id']:<24}  {'active' if one['active'] else 'ended'}  {' '.join(one['deeds']) or '-'}"
            for one in members
        ]
        self.show(options, members, "\n".join(lines) or "there are no accounts")


def _describe(user: User, *, active: bool) -> dict[str, Any]:
    return {
        "user": user.username,
        "id": str(user.pk),
        "display_name": user.display_name or None,
        "active": active,
        "active_until": user.active_until.isoformat() if user.active_until else None,
        "last_sign_in": user.last_login.isoformat() if user.last_login else None,
        "deeds": sorted(deed.value for deed in granted_deeds(user)),
    }
