"""disable-user: end an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.access.people import end_account, ending_with, find_user
from archive.core.base_command import ArchiveCommand, add_json, moment
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """End an account, now or at a moment that is known already."""

    help = (
        "End an account: no sign-in works any more, and every session ends. What the person did stays in the custody "
        "log. With --until the account ends at that moment instead of now. What was granted to it ends with it, and is "
        "told."
    )
    example = "plainsight-archive disable-user m.jones --until 2027-06-30T17:00"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name and the moment."""
        parser.add_argument("name", help="name to sign in with")
        parser.add_argument(
            "--until", metavar="TIME", help="when it ends: ISO 8601, in the site's time zone if none is given"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """End it."""
        user = end_account(find_user(options["name"]), by=Actor.operator(), at=moment(options["until"], "--until"))
        until = user.active_until.isoformat() if user.active_until else None
        held = [{"deed": one.deed, "scope": one.scope_type, "scope_id": one.scope_id} for one in ending_with(user)]
        scopes = [" ".join(filter(None, (one["scope"], one["scope_id"]))) for one in held]
        lines = [f"{user.username} can sign in until {until}"]
        lines += [f"ends with it: {one['deed']} ({scope})" for one, scope in zip(held, scopes, strict=True)]
        self.show(options, {"user": user.username, "active_until": until, "ends": held}, "\n".join(lines))
