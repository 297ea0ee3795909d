"""keyring: the public keys that a checker needs."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.keys import KeyRing
from archive.core.base_command import ArchiveCommand
from archive.devices.keyring import key_ring, key_ring_of
from archive.keystore.current import keystore


class Command(ArchiveCommand):
    """Print the key ring (docs/format.md section 4)."""

    help = (
        "Print the key ring that 'plainsight verify --keys' takes: the public keys of every enrolled box and of this "
        "archive. Give it to checkers by another way than the packages. With --recording, the keys for one recording: "
        "of one that was taken in from another archive, that archive's and its box's, and ours for what we sign of it."
    )
    example = "plainsight-archive keyring > keyring.json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add for what."""
        parser.add_argument("--recording", metavar="ID", help="the keys for this recording alone")
        parser.add_argument(
            "--recipient",
            action="store_true",
            help="print instead the age recipient that another archive addresses a transfer to us to",
        )

    def work(self, options: dict[str, Any]) -> None:
        """Print it; it is JSON in any case, but for a recipient."""
        if options["recipient"]:
            self.stdout.write(keystore().recipient)
            return
        ring = key_ring()
        if options["recording"] is not None:
            own = key_ring_of(options["recording"])
            # what this archive signs of it: the evidence package, the custody log's head
            ring = KeyRing(boxes=own.boxes, archives=list(dict.fromkeys([*own.archives, *ring.archives])))
        self.stdout.write(json.dumps(ring.model_dump(mode="json"), indent=2))
