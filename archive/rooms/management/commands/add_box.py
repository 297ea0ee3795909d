"""add-box: make a box known by hand, where it cannot use a claim."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.errors import KeyFileError, SettingsError
from appliance.contract.ids import BOX_PATTERN, new_box_id
from appliance.contract.keys import SigningKey, parse_public
from archive.core.base_command import ArchiveCommand, add_json
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.devices.enrollment import enroll
from archive.devices.models import BoxKey
from archive.keystore.current import keystore
from archive.keystore.escrow import escrow_recipient
from archive.rooms.placement import place


class Command(ArchiveCommand):
    """Add a box, or another key of one."""

    help = (
        "Make a box known by hand, where it cannot use a claim ('enroll'), and print the [box] and [keys] sections of "
        "its settings. The box's signing key is made here "
        "with --new-key (carry the file to the box), or only its public half is given with --public-key. For a box "
        "that is known, the key is added to those that are believed."
    )
    example = 'plainsight-archive add-box --room "Room 12" --new-key box.key --new-courier-key courier.key'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the box, its key and its room."""
        parser.add_argument("box", nargs="?", help="the box's identifier, box-...; default: a new random one")
        key = parser.add_mutually_exclusive_group(required=True)
        key.add_argument("--public-key", metavar="ed25519:...", help="the box's public key")
        key.add_argument("--new-key", metavar="FILE", type=Path, help="make the box's signing key in FILE")
        courier = parser.add_mutually_exclusive_group()
        courier.add_argument("--courier-key", metavar="ed25519:...", help="the public key of the box's courier")
        courier.add_argument("--new-courier-key", metavar="FILE", type=Path, help="make the courier's key in FILE")
        parser.add_argument("--room", metavar="NAME", help="the room that it stands in (kept in this database only)")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Add it, and print what the box needs."""
        box = options["box"] or new_box_id()
        if not re.match(BOX_PATTERN, box):
            raise SettingsError(f"{box!r} is no box identifier: 'box-' and 4 to 32 of a-z 0-9 -", field="box")
        escrow = escrow_recipient()
        public = _public(options["public_key"], options["new_key"], "--public-key")
        courier = _courier(options["courier_key"], options["new_courier_key"])
        with one_deed():
            row = enroll(box, public, by=Actor.operator())
            if courier is not None:
                enroll(box, courier, by=Actor.operator(), use=BoxKey.Use.COURIER)
            if options["room"] is not None:
                place(row, options["room"], by=Actor.operator())
        members = {
            "box": box,
            "public_key": public,
            "signing_key": str(options["new_key"].absolute()) if options["new_key"] else None,
            "courier_public_key": courier,
            "courier_key": str(options["new_courier_key"].absolute()) if options["new_courier_key"] else None,
            "archive_recipient": keystore().recipient,
            "escrow_recipient": escrow,
            "archive_key": keystore().public,
        }
        self.show(options, members, _settings(members))


def _public(given: str | None, new: Path | None, option: str) -> str:
    """Return the public half that was given, or that of a key made in `new`."""
    if given is not None:
        try:
            parse_public(given)
        except ValueError as error:
            raise SettingsError(str(error), field=option) from error
        return given
    if new is None:
        raise SettingsError("a key is needed: the public half, or a file to make one in", field=option)
    key = SigningKey.generate()
    try:
        key.save(new)
    except OSError as error:
        raise KeyFileError(f"cannot write the new key {new}: {error.strerror}") from error
    return key.public


def _courier(given: str | None, new: Path | None) -> str | None:
    return None if given is None and new is None else _public(given, new, "--courier-key")


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
    courier = members["courier_key"]
    if courier:
        lines += ["", f"# the courier signs its requests with {courier}: move it to /etc/plainsight/courier.key"]
    elif members["courier_public_key"] is None:
        lines += ["", "# without a courier's key (--new-courier-key FILE) this box cannot send its recordings"]
    return "\n".join(lines)
