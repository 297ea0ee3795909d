"""keyring: the public keys that a checker needs."""

from __future__ import annotations

import json
from typing import Any

from archive.core.base_command import ArchiveCommand
from archive.devices.keyring import key_ring


class Command(ArchiveCommand):
    """Print the key ring (docs/format.md section 4)."""

    help = (
        "Print the key ring that 'plainsight verify --keys' takes: the public keys of every enrolled box and of this "
        "archive. Give it to checkers by another way than the packages."
    )
    example = "plainsight-archive keyring > keyring.json"

    def work(self, options: dict[str, Any]) -> None:  # noqa: ARG002 - there are none
        """Print it; it is JSON in any case."""
        self.stdout.write(json.dumps(key_ring().model_dump(mode="json"), indent=2))
