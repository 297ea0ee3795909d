"""grant: let an account do more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.access.decisions import granted_deeds
from archive.access.deeds import Deed
from archive.access.people import find_user, grant
from archive.core.base_command import ArchiveCommand, add_json, moment
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """Grant deeds."""

    help = "Let an account do a deed from now on. Each makes a custody entry."
    example = "plainsight-archive grant m.jones listen download --until 2027-06-30T17:00"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name and the deeds."""
        parser.add_argument("name", help="name to sign in with")
        parser.add_argument("deeds", nargs="+", choices=Deed.values, metavar="DEED", help=", ".join(Deed.values))
        parser.add_argument(
            "--until", metavar="TIME", help="when it ends: ISO 8601, in the site's time zone if none is given"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Grant them and print what the account may do then."""
        user, until = find_user(options["name"]), moment(options["until"], "--until")
        for deed in options["deeds"]:
            grant(user, Deed(deed), by=Actor.operator(), until=until)
        deeds = sorted(deed.value for deed in granted_deeds(user))
        self.show(
            options, {"user": user.username, "deeds": deeds}, f"{user.username} may: {', '.join(deeds) or 'nothing'}"
        )
