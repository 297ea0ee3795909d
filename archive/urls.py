"""Addresses: the boxes' interface, the health page, and the pages."""

from __future__ import annotations

from django.urls import include, path

from archive.core import errors
from archive.core.health import healthz
from archive.ui.views import favicon, robots

urlpatterns = [
    path("api/1/", include("archive.ingest.urls")),
    path("healthz", healthz, name="healthz"),
    path("favicon.ico", favicon),
    path("robots.txt", robots),
    path("", include("archive.pages")),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.failed
