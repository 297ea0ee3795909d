"""add-user: make an account for the pages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.errors import SettingsError
from archive.access.deeds import ROLES, Deed
from archive.access.people import create_account, new_password
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """Make an account with a random password, and grant it what a role or a list of deeds says."""

    help = (
        "Make an account for the pages, with a random password that is shown once. It may do what is granted and "
        "nothing else: a custodian everything with recordings, an auditor read custody logs and verify without hearing "
        "anything, a technician see rooms and the list of recordings."
    )
    example = "plainsight-archive add-user m.jones --role custodian"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name and the rights."""
        parser.add_argument("name", help="name to sign in with")
        parser.add_argument("--display-name", default="", help="name as colleagues read it (default: the sign-in name)")
        parser.add_argument("--role", choices=ROLES, help="grant what this role may do")
        parser.add_argument(
            "--may",
            choices=Deed.values,
            action="append",
            default=[],
            metavar="DEED",
            help=f"grant one of {', '.join(Deed.values)}; may be repeated",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make it and print the password."""
        deeds = {*ROLES.get(options["role"] or "", ()), *map(Deed, options["may"])}
        if not deeds:
            raise SettingsError("say what the account may do, with --role or --may", field="--role")
        password = new_password()
        user = create_account(
            options["name"], password, deeds, by=Actor.operator(), display_name=options["display_name"]
        )
        members = {
            "user": user.username,
            "id": str(user.pk),
            "password": password,
            "deeds": [deed.value for deed in Deed if deed in deeds],
        }
        self.show(options, members, f"user {user.username}, password {password} (it is not shown again)")
