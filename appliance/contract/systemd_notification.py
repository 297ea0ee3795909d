"""Telling systemd how a service does (sd_notify(3)), through systemd-python."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from .errors import SettingsError


class SystemdNotifier:
    """Tells systemd how it goes, where systemd asks (NOTIFY_SOCKET); otherwise does nothing. Any thread may use it."""

    def __init__(self) -> None:
        self._daemon: ModuleType | None = None
        self._status = ""
        self.watchdog_ns = 0
        """How often to feed the watchdog, in nanoseconds; 0: nobody asks."""
        if os.environ.get("NOTIFY_SOCKET"):
            try:
                self._daemon = importlib.import_module("systemd.daemon")
            except ModuleNotFoundError as error:
                raise SettingsError(
                    "systemd waits for a notification, but systemd-python is not installed; install plainsight[box]"
                ) from error
            microseconds = os.environ.get("WATCHDOG_USEC", "")
            self.watchdog_ns = int(microseconds) * 1000 // 3 if microseconds.isdigit() else 0

    def ready(self) -> None:
        """Say that the service does its work."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Say that the service ends in good order."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def _send(self, text: str) -> None:
        if self._daemon is not None:
            self._daemon.notify(text)
