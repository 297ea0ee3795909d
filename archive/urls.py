"""Addresses: the boxes' interface, and the pages."""

from __future__ import annotations

import importlib.util

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("api/1/", include("archive.ingest.urls"))]
if importlib.util.find_spec("archive.library.urls") is not None:
    urlpatterns.append(path("", include("archive.library.urls")))
