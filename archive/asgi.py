"""The ASGI application that `plainsight-archive web` serves: Django behind the edge."""

from __future__ import annotations

from django.conf import settings

from archive.core.edge import Edge
from archive.ingest import limits
from archive.ingest.authentication import admit
from archive.wsgi import application as wsgi

_web = settings.ARCHIVE.web
application = Edge(
    wsgi,
    threads=_web.threads,
    scheme=settings.ARCHIVE.site.url.partition(":")[0],
    proxies=_web.proxies,
    admit=admit,
    longest=limits.longest_body,
)
