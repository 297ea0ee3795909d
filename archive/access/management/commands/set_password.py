"""set-password: give somebody a new password."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.access.people import find_user, new_password, set_password
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """Replace a password that was lost."""

    help = (
        "Give an account a new random password, which is shown once. The old one stops working, and sessions end. With "
        "--second-step nothing opens the account any more that was chosen before: it may be a second person then for "
        "whoever had given out its link."
    )
    example = "plainsight-archive set-password m.jones"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name."""
        parser.add_argument("name", help="name to sign in with")
        parser.add_argument(
            "--second-step", action="store_true", help="take the second step away as well, for who lost a phone"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Set it and print it."""
        user, password = find_user(options["name"]), new_password()
        set_password(user, password, by=Actor.operator(), anew=options["second_step"])
        members = {"user": user.username, "password": password}
        self.show(options, members, f"user {user.username}, password {password} (it is not shown again)")
