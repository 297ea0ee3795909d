"""add-user: make an account for the pages."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction

from appliance.contract.errors import SettingsError
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.kinds import Kind
from archive.custody.log import ARCHIVE, record


class Command(ArchiveCommand):
    """Make an account with a random password."""

    help = (
        "Make an account for the pages, with a random password that is shown once. Without --may-listen it sees rooms "
        "and recordings, and hears nothing (IT); with it, it may listen and take copies (custodian)."
    )
    example = "plainsight-archive add-user m.jones --may-listen"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name and the right."""
        parser.add_argument("name", help="name to sign in with")
        parser.add_argument("--may-listen", action="store_true", help="may listen to recordings and take copies")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make it and print the password."""
        password = secrets.token_urlsafe(15)
        try:
            with transaction.atomic():
                user = User.objects.create_user(options["name"], password=password)
                if options["may_listen"]:
                    right = Permission.objects.get(content_type__app_label="recordings", codename="listen")
                    user.user_permissions.add(right)
                record(Kind.ACCOUNT, actor=ARCHIVE, user=options["name"], may_listen=options["may_listen"])
        except IntegrityError as error:
            raise SettingsError(f"there is an account {options['name']!r} already", field="name") from error
        except ValueError as error:
            raise SettingsError(f"cannot make the account: {error}", field="name") from error
        members = {"user": user.username, "password": password, "may_listen": options["may_listen"]}
        self.show(options, members, f"user {user.username}, password {password} (it is not shown again)")
