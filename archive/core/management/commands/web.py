"""web: serve the boxes' interface and the pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.wsgi import get_wsgi_application

from appliance.contract.errors import KeyFileError, SettingsError
from archive.core.base_command import ArchiveCommand
from archive.core.jobs import run_checks
from archive.core.server import Server
from archive.keystore.current import keystore


class Command(ArchiveCommand):
    """Run gunicorn."""

    help = (
        "Serve the boxes' interface and the pages with gunicorn, several worker processes. Defaults come from [web] in "
        "the configuration. Ends on SIGTERM or Ctrl-C."
    )
    example = "plainsight-archive web --address 0.0.0.0:8443 --workers 4"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what overrides the configuration."""
        web = settings.ARCHIVE.web
        parser.add_argument("--address", default=web.address, metavar="HOST:PORT", help="where to listen (%(default)s)")
        parser.add_argument("--workers", type=int, default=web.workers, help="worker processes (%(default)s)")
        parser.add_argument("--threads", type=int, default=web.threads, help="threads a worker (%(default)s)")

    def work(self, options: dict[str, Any]) -> None:
        """Serve until told to stop."""
        web = settings.ARCHIVE.web
        host, _, port = options["address"].rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError(f"{options['address']!r} is not HOST:PORT", field="--address")
        if options["workers"] < 1 or options["threads"] < 1:
            raise SettingsError("at least one worker and one thread is needed", field="--workers")
        secret = settings.ARCHIVE_HOME / "keys" / "django.secret"
        if not secret.exists():
            raise KeyFileError(f"there is no {secret}; make it with 'plainsight-archive make-keys'")
        keystore()
        run_checks()
        Server(
            get_wsgi_application(),
            {
                "bind": options["address"],
                "workers": options["workers"],
                "threads": options["threads"],
                "worker_class": "gthread",
                "certfile": str(web.certificate) if web.certificate else None,
                "keyfile": str(web.key) if web.key else None,
                "timeout": 120,
                "graceful_timeout": 10,
                "keepalive": 15,
                "limit_request_line": 2048,
                "proc_name": "plainsight-archive",
                "forwarded_allow_ips": "",
            },
        ).run()
