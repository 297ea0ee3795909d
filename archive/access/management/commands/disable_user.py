"""disable-user: end an account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from appliance.contract.errors import SettingsError
from archive.access.people import end_account, find_user
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """End an account, now or at a moment that is known already."""

    help = (
        "End an account: no sign-in works any more, and every session ends. What the person did stays in the custody "
        "log. With --until the account ends at that moment instead of now."
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
        user = end_account(find_user(options["name"]), by=Actor.operator(), at=_moment(options["until"]))
        until = user.active_until.isoformat() if user.active_until else None
        self.show(options, {"user": user.username, "active_until": until}, f"{user.username} can sign in until {until}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time; write it as 2027-06-30T17:00", field="--until") from error
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
