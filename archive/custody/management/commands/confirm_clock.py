"""confirm-clock: say that the archive's clock is right, after the custody log made it doubtful."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from appliance.contract.errors import SettingsError
from archive.core.base_command import ArchiveCommand, add_json
from archive.core.database_clock import why_off
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.custody.clock import doubt
from archive.custody.custody_kinds import CLOCK
from archive.custody.log import record


class Command(ArchiveCommand):
    """Enter that somebody looked at the clock; what is entered from then on is held against that."""

    help = (
        "Say that this host's clock is right, by naming today's date. Destruction, one-time links, compelled "
        "productions, backups and the forgetting of old copies of the keys wait for it where the custody log and the "
        "clock contradict each other: an entry lies in the future, or none was made for more than 100 days. Access "
        "that ends by a day counts as ended meanwhile, if an entry lies after it. Set the clock right first. It is an "
        "entry in the custody log."
    )
    example = "plainsight-archive confirm-clock 2026-11-26"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the day."""
        parser.add_argument("day", metavar="YYYY-MM-DD", help="today's date, from another clock than this host's")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Enter it."""
        today = timezone.localdate().isoformat()
        if options["day"] != today:
            raise SettingsError(
                f"this host's clock shows {today} and not {options['day']}; set it right, then confirm it", field="day"
            )
        if off := why_off():
            raise SettingsError(f"{off}, then confirm it", field="day")
        if not doubt():
            self.show(options, {"entered": False}, "Nothing speaks against the clock; there is nothing to confirm.")
            return
        with one_deed():
            record(CLOCK, actor=Actor.operator())
        self.show(options, {"entered": True}, f"Entered in the custody log: today is {today}, by this clock.")
