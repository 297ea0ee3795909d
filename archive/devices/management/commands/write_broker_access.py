"""write-broker-access: what a broker lets each box do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from archive.configuration.brokers import MAIN
from archive.core.base_command import ArchiveCommand, add_json
from archive.devices.broker_access import FILE_NAME, write_access


class Command(ArchiveCommand):
    """Write the access list now; the worker does it every ten seconds."""

    help = "Write a broker's access list from the boxes that it has. The worker does so by itself every ten seconds."
    example = "plainsight-archive write-broker-access /var/lib/plainsight-broker"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder."""
        parser.add_argument("folder", type=Path, help="folder that the broker reads")
        names = [broker.name for broker in settings.ARCHIVE.mqtt.brokers]
        parser.add_argument("--broker", choices=names, default=MAIN, help="its name in [mqtt] (default: %(default)s)")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Write it."""
        broker = settings.ARCHIVE.mqtt.called(options["broker"])
        changed = write_access(options["folder"] / FILE_NAME, broker)
        self.show(options, {"changed": changed}, "written" if changed else "nothing had changed")
