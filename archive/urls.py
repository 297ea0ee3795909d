"""Addresses: the boxes' interface, and the pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/1/", include("archive.ingest.urls")),
    path("", include("archive.pages")),
]
