"""What the worker does about certificates."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal

from .authority import CERTIFICATE
from .files import ensure, ensure_broker

RENEW_S: Final = 900.0
"""How often the certificates are looked at, in seconds: those that were made while the clock was ahead are refused
by all until they are made again."""
_log = logging.getLogger(__name__)


def renew(_stop: StopSignal) -> None:
    """Make certificates again that end soon, have not begun or lack a name, where this archive has an authority.

    Web server and listener take a new one up by themselves (plainsight-archive-certificates.path).
    """
    if (_keys() / CERTIFICATE).exists():
        _tell(make_own())


def renew_of_brokers(_stop: StopSignal) -> None:
    """Do the same for the brokers whose folders are on this host, which take it up by plainsight-broker.path."""
    if (_keys() / CERTIFICATE).exists():
        _tell(make_for_brokers())


def make_certificates() -> list[str]:
    """Make what is needed, for the names in the settings; raise KeyFileError or StorageError."""
    return make_own() + make_for_brokers()


def make_own() -> list[str]:
    """Make what `ensure` makes."""
    return ensure(_keys(), settings.ARCHIVE.names, timezone.now())


def make_for_brokers() -> list[str]:
    """Make what `ensure_broker` makes, for each broker whose folder is on this host.

    Raises the first KeyFileError or StorageError once each broker had its turn.
    """
    archive = settings.ARCHIVE
    made: list[str] = []
    errors: list[PlainSightError] = []
    for broker in archive.mqtt.brokers:
        if broker.broker_folder is not None and broker.broker_folder.is_dir():
            names = list(dict.fromkeys([*archive.names, archive.host_for_boxes(broker)]))
            try:
                made += ensure_broker(_keys(), broker.broker_folder, names, timezone.now())
            except PlainSightError as error:
                errors.append(error)
    if errors:
        raise errors[0]
    return made


def _keys() -> Path:
    folder: Path = settings.ARCHIVE_HOME / "keys"
    return folder


def _tell(made: list[str]) -> None:
    for name in made:
        _log.info("a new certificate for %(certificate)s was made", {"certificate": name})
