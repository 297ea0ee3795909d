"""enroll: give out a one-time claim for a new box, or for a box's card in a new board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from appliance.contract.durable_files import create
from appliance.contract.errors import SettingsError, StorageError
from archive.core.base_command import ArchiveCommand, add_json
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.enrollment.claim_file import FILE_NAME, Hardware, claim_file
from archive.enrollment.deeds import give_claim, give_claim_for


class Command(ArchiveCommand):
    """Give out a claim."""

    help = (
        "Give out a one-time claim for a new box in ROOM, good for 72 hours, as the file that goes on the box's card. "
        "The box makes its own keys, uses the claim, and removes it from the card. With --for-box: where a board is "
        "dead, for its card in another one, which goes on in its place and sends what the card still holds."
    )
    example = 'sudo plainsight-archive enroll "Room 12" >/media/bootfs/plainsight-claim.toml'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the room, and what the box is made of."""
        parser.add_argument("room", nargs="?", help="the room that the box will stand in (kept in this database only)")
        parser.add_argument(
            "--for-box", metavar="BOX", help="instead of a room: the box whose card goes on in another board"
        )
        parser.add_argument(
            "-o",
            metavar="DIR",
            dest="folder",
            type=Path,
            help="write the file into this folder, instead of printing it",
        )
        parser.add_argument("--hardware", choices=("usb", "i2s"), default="usb", help="the box's microphone")
        parser.add_argument("--no-lamp-seen", action="store_true", help="the lamp's sensor is not wired")
        parser.add_argument(
            "--no-mic-rail", action="store_true", help="the sense of the microphone's supply is not wired"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Give it out, and write or print its file."""
        hardware = Hardware(options["hardware"], not options["no_lamp_seen"], not options["no_mic_rail"])
        room, box = options["room"], options["for_box"]
        if (room is None) == (box is None):
            raise SettingsError("name either a room, for a new box, or a box with --for-box", field="room")
        path = options["folder"] / FILE_NAME if options["folder"] else None
        # a claim that nobody gets to see is none: it counts once its file or its text is out
        with one_deed():
            by, now = Actor.operator(), timezone.now()
            claim = give_claim_for(box, by=by, now=now) if box else give_claim(room, by=by, now=now)
            text = claim_file(claim.text, hardware, box)
            if path is not None:
                _write(path, text)
            members = {
                "claim": claim.text,
                "number": claim.row.pk,
                "expires_at": claim.row.expires_at.isoformat(),
                "file": str(path) if path else None,
                "for_box": box,
            }
            until = timezone.localtime(claim.row.expires_at)
            told = f"claim {claim.text} (number {claim.row.pk}), good until {until:%Y-%m-%d %H:%M %Z}"
            self.show(options, members, f"{told}; its file is {path}" if path else text)
            self.stdout.flush()


def _write(path: Path, text: str) -> None:
    try:
        create(path, [text.encode()], mode=0o600)
    except FileExistsError as error:
        raise StorageError(
            f"{path} is there already: a claim that no box has used; remove it, or name another folder with -o"
        ) from error
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; name another folder, which the archive's user may write, or leave "
            f"-o out and keep what is printed, with >{FILE_NAME}"
        ) from error
