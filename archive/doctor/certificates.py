"""Certificates: whose they are, for which names, until when, and whether the servers present what lies on the disk."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from appliance.contract.check_result import CheckResult
from archive.authority.authority import CERTIFICATE
from archive.authority.files import RENEW_BEFORE, is_issued_by, names_of
from archive.configuration.brokers import MAIN
from archive.configuration.file import Configuration
from archive.configuration.web import Boxes, Web
from archive.setup.public_certificate import covers

LATE: Final = RENEW_BEFORE - timedelta(days=5)
"""A certificate of ours that lives no longer than this should have been renewed days ago."""
SOON: Final = timedelta(days=14)
"""Before its end somebody should look after a certificate that others renew, which public ones are after 60 days."""
ANSWER_S: Final = 5.0
"""How long a server of ours may take to answer, in seconds."""


@dataclass(frozen=True)
class CertificateLook:
    """One certificate on this host."""

    name: str
    """Whose: `pages`, `boxes`, `broker`, `broker` and the name of its group, `listener` or `authority`."""
    path: Path
    is_ours: bool
    """Whether the worker renews it."""
    error: str = ""
    """Why it cannot be used; empty if it can."""
    needs: str = ""
    """The name by which clients reach its server; empty for a client's."""
    names: frozenset[str] = frozenset()
    """Names that it is good for."""
    ends_at: datetime | None = None
    """When it ends."""
    begins_at: datetime | None = None
    """When it begins."""
    presented: str = ""
    """What is wrong with what the server presents; empty if nothing is, or if that was not looked at."""


def look(settings: Configuration, home: Path) -> list[CertificateLook]:
    """Look at every certificate that the settings name, and ask the servers for theirs."""
    authority = home / "keys" / CERTIFICATE
    if not settings.site.url.startswith("https://") and settings.boxes.url is None:
        return []
    seen = []
    boxes, mqtt = settings.boxes, settings.mqtt
    listeners: list[tuple[str, Web | Boxes, str | None]] = [
        ("pages", settings.web, settings.site.url),
        ("boxes", boxes, boxes.url),
    ]
    for name, listener, url in listeners:
        if url is not None and listener.certificate is not None:
            read = _read(name, listener.certificate, listener.key, str(urlsplit(url).hostname), authority)
            seen.append(read if read.error else replace(read, presented=_presented(listener.address, read.path)))
    for broker in mqtt.brokers:
        # the folder of another host's broker is looked at there
        if broker.broker_folder is not None and broker.broker_folder.is_dir():
            certificate, key = broker.broker_folder / "server.pem", broker.broker_folder / "server.key"
            name = "broker" if broker.name == MAIN else f"broker {broker.name}"
            seen.append(_read(name, certificate, key, settings.host_for_boxes(broker), authority))
    if mqtt.certificate is not None:
        seen.append(_read("listener", mqtt.certificate, mqtt.key, "", authority))
    if authority.exists():
        seen.append(_read("authority", authority, home / "keys" / "authority.key", "", None))
    return seen


def _presented(address: str, path: Path) -> str:
    ours = x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256())
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # it is compared with the file below, which says more than any authority
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, int(port)), ANSWER_S) as plain,
            context.wrap_socket(plain) as connection,
        ):
            theirs = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError) as error:
        return f"nothing answers by TLS at {address}: {error}"
    return "" if theirs.fingerprint(hashes.SHA256()) == ours else "the server presents another one than the file's"


def _read(name: str, path: Path, key: Path | None, needs: str, authority: Path | None) -> CertificateLook:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        private = None if key is None else serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as failed:
        return CertificateLook(name, path, authority is None, str(failed), needs)
    error = "" if private is None or private.public_key() == found.public_key() else f"{key} is not its key"
    is_ours = authority is None or (authority.exists() and is_issued_by(found, authority))
    names = frozenset(names_of(found))
    return CertificateLook(
        name, path, is_ours, error, needs, names, found.not_valid_after_utc, found.not_valid_before_utc
    )


def check(seen: CertificateLook, now: datetime) -> CheckResult:
    """Return what is to be said about one certificate."""
    name = f"certificate of the {seen.name}"
    remedy = "run 'plainsight-archive make-certificates' as the archive's user"
    if not seen.is_ours:
        remedy = "hand a good one over: 'plainsight-archive take-certificate' (docs/certificates.md)"
    if seen.name == "authority":
        remedy = "restore keys/authority.key and authority.pem from one backup; boxes believe no other"
    if seen.error or seen.ends_at is None:
        return CheckResult(name, "wrong", f"{seen.path}: {seen.error}", remedy)
    until = f"until {seen.ends_at:%Y-%m-%d}"
    if outside := _outside(seen, now):
        return CheckResult(name, "wrong", outside, remedy)
    if seen.needs and not covers(set(seen.names), seen.needs):
        return CheckResult(name, "wrong", f"it is not for {seen.needs}, by which the {seen.name} are reached", remedy)
    if seen.presented:
        remedy = f"see that {_UNITS.get(seen.name, 'its server')} runs; systemctl reload lets it take the file up"
        return CheckResult(name, "wrong", seen.presented, remedy)
    if seen.ends_at - now < (LATE if seen.is_ours else SOON):
        late = "see that the worker runs: it should have renewed this" if seen.is_ours else remedy
        return CheckResult(name, "warning", until, late)
    return CheckResult(name, "ok", until)


def _outside(seen: CertificateLook, now: datetime) -> str:
    if seen.begins_at is not None and now < seen.begins_at:
        return f"it begins on {seen.begins_at:%Y-%m-%d}: it was made while the clock was ahead, or the clock is behind"
    return f"it ended on {seen.ends_at:%Y-%m-%d}" if seen.ends_at is not None and now >= seen.ends_at else ""


_UNITS: Final = {"pages": "plainsight-archive-web", "boxes": "plainsight-archive-boxes"}
