"""backup: copy the whole archive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError
from archive.backup.copying import back_up
from archive.core.base_command import ArchiveCommand, add_json
from archive.keystore.generations import forget_old
from archive.keystore.places import places


class Command(ArchiveCommand):
    """Copy database and packages, and make a short-lived generation of the keys apart from them."""

    help = (
        "Copy the database and every package into a folder, which opens nothing by itself, and make a new generation "
        "of the keys: encrypted into [backup] keys, to a key of its own in [backup] generation_keys. That key is "
        "forgotten after [backup] keep_days, so that what is destroyed does not come back from a backup. Run it daily, "
        "and keep the three places apart. Packages are copied once. Exit status 1 if something is missing in it, such "
        "as a place of the keys that is away, and 2 if there is no backup."
    )
    example = "plainsight-archive backup --to /mnt/backup/plainsight"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add where to."""
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to (default: [backup] folder)")
        parser.add_argument("--if-named", action="store_true", help="for the timer: do nothing where no place is named")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Copy."""
        folder = options["to"] or settings.ARCHIVE.backup.folder
        if folder is None and options["if_named"]:
            self.show(options, {"backup": None}, "nothing was done: [backup] folder in archive.toml names no place")
            return
        if folder is None:
            raise SettingsError("name a folder with --to, or set [backup] folder in archive.toml", field="--to")
        made = back_up(folder.absolute(), timezone.now())
        problems, forgotten = [*made.problems], list[str]()
        try:
            forgotten = forget_old(timezone.now())
        except StorageError as error:
            problems.append(f"old copies of the keys are not forgotten: {error.message}")
        where = places()
        members = {
            "backup": str(folder / made.name),
            "new_packages": made.packages,
            "removed_packages": made.removed,
            "generation": made.generation,
            "generations_in": [str(path) for path in where.generations],
            "generation_keys_in": [str(path) for path in where.keys],
            "forgotten": forgotten,
            "problems": problems,
            "left_by_killed_runs": made.left,
        }
        of_keys = f"generation {made.generation} of the keys" if made.generation else "no generation of the keys"
        text = f"{folder / made.name}: {made.packages} new packages; {of_keys}"
        if settings.ARCHIVE.backup.keys is None or settings.ARCHIVE.backup.generation_keys is None:
            text += (
                "\nThe keys have no second place: if this host is lost, so is every recording. "
                "Set [backup] keys and generation_keys in archive.toml."
            )
        text += f"\nremoved what {made.left} runs left that were killed" if made.left else ""
        text += "".join(f"\n{problem}" for problem in problems)
        self.show(options, members, text)
        if problems:
            sys.exit(1)
