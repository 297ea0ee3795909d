"""web: serve the boxes' interface and the pages."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import CommandParser

from appliance.contract.errors import KeyFileError, SettingsError
from archive.core.base_command import ArchiveCommand
from archive.core.jobs import require_all
from archive.core.server import Listening, serve

PKCS8 = b"-----BEGIN PRIVATE KEY-----"


class Command(ArchiveCommand):
    """Run the web server."""

    help = (
        "Serve the boxes' interface and the pages, in several worker processes. Defaults come from [web] in the "
        "configuration. Ends on SIGTERM or Ctrl-C."
    )
    example = "plainsight-archive web --address 0.0.0.0:8443 --workers 4"
    # nothing is served while addresses and the table of routes differ (archive/access/checks.py)
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what overrides the configuration."""
        web = settings.ARCHIVE.web
        parser.add_argument("--address", metavar="HOST:PORT", help=f"where to listen ({web.address})")
        parser.add_argument("--workers", type=int, help=f"worker processes ({web.workers})")
        parser.add_argument(
            "--boxes",
            action="store_true",
            help="serve boxes, with the address and the certificate of [boxes]: where pages have a public certificate",
        )

    def work(self, options: dict[str, Any]) -> None:
        """Serve until told to stop."""
        boxes = settings.ARCHIVE.boxes
        section, web = ("boxes", boxes) if options["boxes"] else ("web", settings.ARCHIVE.web)
        if options["boxes"] and boxes.url is None:
            raise SettingsError("name where boxes find the archive, or let [web] serve them", field="boxes.url")
        host, port = _address(options["address"] or web.address)
        workers = web.workers if options["workers"] is None else options["workers"]
        if workers < 1:
            raise SettingsError("at least one worker is needed", field="--workers")
        secret = settings.ARCHIVE_HOME / "keys" / "django.secret"
        if not secret.exists():
            raise KeyFileError(f"there is no {secret}; make it with 'plainsight-archive make-keys'")
        require_all()
        _check_tls(section, web.certificate, web.key)
        _check_free(host, port)
        serve(Listening(host, port, workers, web.certificate, web.key))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not port.isascii() or not 1 <= int(port[:6]) <= 65535:
        raise SettingsError(f"{text!r} is not HOST:PORT with a port from 1 to 65535", field="--address")
    return host.strip("[]"), int(port)


def _check_free(host: str, port: int) -> None:
    """Raise SettingsError now, in words, instead of letting every worker fail."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise SettingsError(
            f"cannot listen at {host}:{port}: {error.strerror or error}; stop what listens there, or choose another",
            field="--address",
        ) from error


def _check_tls(section: str, certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise SettingsError("a certificate needs its key, and a key its certificate", field=f"{section}.certificate")
    for field, path in ((f"{section}.certificate", certificate), (f"{section}.key", key)):
        if path is None:
            continue
        try:
            text = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror}", field=field) from error
        if path is key and PKCS8 not in text:
            raise SettingsError(
                f"{path} is not a PKCS#8 key; convert it with 'openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW'",
                field=field,
            )
