"""What the worker does about certificates."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal

from .authority import CERTIFICATE
from .files import ensure

RENEW_S: Final = 12 * 3600.0
"""How often the ends are looked at, in seconds."""
_log = logging.getLogger(__name__)


def renew(_stop: StopSignal) -> None:
    """Make certificates that end soon again, where this archive has an authority."""
    keys = settings.ARCHIVE_HOME / "keys"
    if not (keys / CERTIFICATE).exists():
        return
    hosts = [str(urlsplit(settings.ARCHIVE.site.url).hostname)]
    for name in ensure(keys, settings.ARCHIVE.mqtt.broker_folder, hosts, timezone.now()):
        _log.warning("a new certificate for %s was made; restart it within two months", name)
