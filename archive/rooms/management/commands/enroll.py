"""enroll: make a box known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from appliance.contract.errors import KeyFileError, SettingsError
from appliance.contract.ids import BOX_PATTERN, new_box_id
from appliance.contract.keys import SigningKey, parse_public
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.devices.enrollment import enroll
from archive.keystore.current import keystore
from archive.keystore.escrow import escrow_recipient
from archive.rooms.placement import place


class Command(ArchiveCommand):
    """Enroll a box, or another key of one."""

    help = (
        "Make a box known, and print the [box] and [keys] sections of its settings. The box's signing key is made here "
        "with --new-key (carry the file to the box), or only its public half is given with --public-key. For a box "
        "that is known, the key is added to those that are believed."
    )
    example = 'plainsight-archive enroll --room "Room 12" --new-key box.key'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the box, its key and its room."""
        parser.add_argument("box", nargs="?", help="the box's identifier, box-...; default: a new random one")
        key = parser.add_mutually_exclusive_group(required=True)
        key.add_argument("--public-key", metavar="ed25519:...", help="the box's public key")
        key.add_argument("--new-key", metavar="FILE", type=Path, help="make the box's signing key in FILE")
        parser.add_argument("--room", metavar="NAME", help="the room that it stands in (kept in this database only)")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Enroll, and print what the box needs."""
        box = options["box"] or new_box_id()
        if not re.match(BOX_PATTERN, box):
            raise SettingsError(f"{box!r} is no box identifier: 'box-' and 4 to 32 of a-z 0-9 -", field="box")
        escrow = escrow_recipient()
        public = self._public(options)
        with transaction.atomic():
            row = enroll(box, public, by=Actor.operator())
            if options["room"] is not None:
                place(row, options["room"], by=Actor.operator())
        members = {
            "box": box,
            "public_key": public,
            "signing_key": str(options["new_key"].absolute()) if options["new_key"] else None,
            "archive_recipient": keystore().recipient,
            "escrow_recipient": escrow,
            "archive_key": keystore().public,
        }
        self.show(options, members, _settings(members))

    @staticmethod
    def _public(options: dict[str, Any]) -> str:
        if options["public_key"] is not None:
            try:
                parse_public(options["public_key"])
            except ValueError as error:
                raise SettingsError(str(error), field="--public-key") from error
            return str(options["public_key"])
        key = SigningKey.generate()
        try:
            key.save(options["new_key"])
        except OSError as error:
            raise KeyFileError(f"cannot write the new key {options['new_key']}: {error.strerror}") from error
        return key.public


def _settings(members: dict[str, str | None]) -> str:
    key = members["signing_key"]
    lines = [
        "# for the box's recorder.toml",
        "[box]",
        f'id = "{members["box"]}"',
        *([f"# its signing key is {key}: move it to the box, and leave no copy"] if key else []),
        "",
        "[keys]",
        *(f'{name} = "{members[name]}"' for name in ("archive_recipient", "escrow_recipient", "archive_key")),
    ]
    return "\n".join(lines)
