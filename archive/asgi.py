"""The ASGI application that `plainsight-archive web` serves: Django behind the edge."""

from __future__ import annotations

import gc
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections
from django.urls import get_resolver

from archive.access.routes import longest_form
from archive.core.edge import Edge
from archive.core.errors import API
from archive.database import use_pool
from archive.ingest import limits
from archive.ingest.authentication import admit
from archive.wsgi import application as wsgi

_web = settings.ARCHIVE.web
# one for each thread of both crews
use_pool(connections.databases["default"], settings.ARCHIVE.database.pool or 2 * _web.threads)


def _admit(environ: dict[str, Any]) -> None:
    """Ask before the request begins for Django, and so give the connection back here."""
    try:
        admit(environ)
    finally:
        close_old_connections()


def _longest_body(path: str) -> int:
    return limits.longest_body(path) if path.startswith(API) else longest_form(path)


application = Edge(
    wsgi,
    threads=_web.threads,
    scheme=settings.ARCHIVE.site.url.partition(":")[0],
    proxies=_web.proxies,
    admit=_admit,
    longest=_longest_body,
)

# What is loaded here lives to the end and is most of what there is: left out of searches for cycles, none of them holds
# up a page. The addresses lead to all the rest, which would otherwise be loaded while the first request waits.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
