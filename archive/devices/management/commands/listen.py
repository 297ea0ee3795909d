"""listen: follow the boxes over MQTT."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from archive.core.base_command import ArchiveCommand
from archive.devices.listener import Listener


class Command(ArchiveCommand):
    """Run the listener until it is told to stop."""

    help = "Follow what the boxes say about themselves over MQTT, for the rooms page. Ends on SIGTERM or Ctrl-C."
    example = "plainsight-archive listen"

    def work(self, options: dict[str, Any]) -> None:  # noqa: ARG002 - there are none
        """Listen."""
        listener = Listener(settings.ARCHIVE.mqtt)
        with listener.stop.listening():
            listener.run()
