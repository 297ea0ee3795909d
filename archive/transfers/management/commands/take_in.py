"""take-in: take in a recording that another district's archive hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.errors import SettingsError
from appliance.contract.keys import KeyRing
from appliance.contract.standard_output import show_progress
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.recordings.models import Recording
from archive.transfers.models import NAME_LENGTH
from archive.transfers.taking_in import Taken, take_in
from archive.ui import words


class Command(ArchiveCommand):
    """Take in an evidence package that is addressed to this archive."""

    help = (
        "Take in a recording that another district's archive hands over with a student (34 CFR 99.34): an evidence "
        "package whose key only this archive opens. It is checked first, with the other archive's key ring, which "
        "must come by another way than the package. The sealed recording stays byte for byte what it is; file it "
        "under its meeting on the page 'Unfiled'. The same package again changes nothing."
    )
    example = 'plainsight-archive take-in evidence.zip --keys their-keyring.json --from "Springfield R-XII"'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what, from whom, and how it is checked."""
        parser.add_argument("package", type=Path, help="the evidence package (a .zip)")
        parser.add_argument("--keys", type=Path, required=True, help="the other archive's key ring")
        parser.add_argument("--from", dest="district", required=True, metavar="DISTRICT", help="whose archive it was")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check and take in."""
        path, district = options["package"], options["district"].strip()
        if not 0 < len(district) <= NAME_LENGTH:
            raise SettingsError(f"name the other district in 1 to {NAME_LENGTH} characters", field="--from")
        ring = KeyRing.load(options["keys"])
        try:
            with path.open("rb") as file:
                if not file.seekable():
                    raise SettingsError(f"{path} is a pipe; save the package as a file first", field="PACKAGE")
                done = take_in(file, ring, district, Actor.operator(), progress=show_progress)
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror or error}", field="PACKAGE") from error
        self.show(options, _members(done), _text(done))


def _members(done: Taken) -> dict[str, Any]:
    row, about = done.row, done.row.about
    made = {"box": None, "outcome": "as-brought"}
    if isinstance(about, Recording):
        made = {"box": about.box_id, "outcome": about.outcome}
    return {
        "recording": row.pk,
        "district": row.district,
        "archive_key": row.archive_key,
        **made,
        "seconds": round(done.seconds, 3),
        "documents": done.documents,
        "package_sha256": about.package_sha256,
        "already": done.already,
    }


def _text(done: Taken) -> str:
    if done.already:
        return f"{done.row.pk} was taken in before, from {done.row.district}; nothing was changed."
    length = words.spoken(done.seconds) if done.seconds else "an unknown length"
    page = "Unfiled" if isinstance(done.row.about, Recording) else "Brought in"
    grade = "" if isinstance(done.row.about, Recording) else " No box made it: it is kept as it was brought there."
    return (
        f"{done.row.pk} from {done.row.district} is taken in: {length} of sound, {done.documents} documents.{grade}\n"
        f"File it under its meeting on the page '{page}'."
    )
