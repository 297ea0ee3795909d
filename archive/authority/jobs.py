"""What the worker does about certificates."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal

from .authority import CERTIFICATE
from .files import ensure

RENEW_S: Final = 12 * 3600.0
"""How often the ends are looked at, in seconds."""
_log = logging.getLogger(__name__)


def renew(_stop: StopSignal) -> None:
    """Make certificates again that end soon or lack a name, where this archive has an authority.

    Web server, listener and broker take a new one up by themselves (plainsight-archive-certificates.path).
    """
    if (settings.ARCHIVE_HOME / "keys" / CERTIFICATE).exists():
        for name in make_certificates():
            _log.info("a new certificate for %(certificate)s was made", {"certificate": name})


def make_certificates() -> list[str]:
    """Make what `ensure` makes, for the names in the settings; raise KeyFileError or StorageError."""
    archive = settings.ARCHIVE
    return ensure(settings.ARCHIVE_HOME / "keys", archive.mqtt.broker_folder, archive.names, timezone.now())
