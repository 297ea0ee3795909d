"""The certificates that lie on the archive's own host: made when they are missing, and again before they end."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from appliance.contract.durable_files import replace
from appliance.contract.errors import StorageError

from .authority import CERTIFICATE, Authority, Issued

RENEW_BEFORE: Final = timedelta(days=60)
"""How long before its end a certificate is made again: two months in which somebody may notice that it was not."""
LISTENER: Final = "archive"
"""Common name of the one client of the broker that reads what all boxes say."""


@dataclass(frozen=True)
class Place:
    """Where a certificate and its key lie, and who may read the key beside its owner."""

    certificate: Path
    key: Path
    key_mode: int = 0o600


def ensure(keys: Path, broker: Path | None, hosts: list[str], now: datetime) -> list[str]:
    """Make whatever is missing or ends soon, and return the names of the certificates that were made.

    `keys` is the archive's key folder, `broker` the folder that the broker reads (None: the broker is somebody
    else's), `hosts` the names and addresses by which boxes and browsers reach this host. Raises KeyFileError or
    StorageError.
    """
    made: list[str] = []
    try:
        if not (keys / CERTIFICATE).exists():
            Authority.make(keys, f"Plain Sight authority of {hosts[0]}", now)
            made.append("authority")
        authority = Authority.load(keys)
        plan: list[tuple[str, Place, Callable[[], Issued]]] = [
            ("web", Place(keys / "web.pem", keys / "web.key"), lambda: authority.server(hosts, now)),
            ("listener", Place(keys / "listener.pem", keys / "listener.key"), lambda: authority.client(LISTENER, now)),
        ]
        if broker is not None:
            # group and mode of the folder let the broker's user in (systemd/tmpfiles.d)
            place = Place(broker / "server.pem", broker / "server.key", 0o640)
            plan.append(("broker", place, lambda: authority.server([*hosts, "localhost", "127.0.0.1"], now)))
            if not (broker / "ca.pem").exists() or (broker / "ca.pem").read_bytes() != authority.pem:
                replace(broker / "ca.pem", authority.pem, mode=0o644, durable=True)
        for name, place, issue in plan:
            if _ends_soon(place, authority, now):
                issued = issue()
                # the key first: a certificate without its key would keep the server from starting
                replace(place.key, issued.key, mode=place.key_mode, durable=True)
                replace(place.certificate, issued.certificate, mode=0o644, durable=True)
                made.append(name)
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename}: {error.strerror}; run this as the archive's user"
        ) from error
    return made


def _ends_soon(place: Place, authority: Authority, now: datetime) -> bool:
    if not place.key.exists() or not os.access(place.key, os.R_OK):
        return True
    try:
        found = x509.load_pem_x509_certificate(place.certificate.read_bytes())
        # the name alone tells nothing: an authority that was made again has the same one
        found.verify_directly_issued_by(authority.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return True
    return now > found.not_valid_after_utc - RENEW_BEFORE
