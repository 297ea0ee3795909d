"""Addresses of recordings that no box made."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import take_in_views, views

_ONE: Final = "outside-recordings/<recording:outside>/"
urlpatterns: list[URLPattern] = [
    path("outside-recordings/", views.outside_recordings, name="outside-recordings"),
    path("outside-recordings/new/", take_in_views.new, name="outside-new"),
    path(_ONE, views.outside, name="outside"),
    path(f"{_ONE}file/", take_in_views.take_in, name="outside-take-in"),
    path(f"{_ONE}pieces.json", take_in_views.piece, name="outside-piece"),
    path(f"{_ONE}give-up/", take_in_views.give_up, name="outside-give-up"),
    path(f"{_ONE}audio/", views.audio, name="outside-audio"),
    path(f"{_ONE}download/", views.download, name="outside-download"),
    path(f"{_ONE}meeting/", views.file_under, name="outside-file"),
    path(f"{_ONE}filings/<uuid:filing>/confirm/", views.confirm, name="outside-confirm"),
    path(f"{_ONE}filings/<uuid:filing>/wrong/", views.wrong, name="outside-wrong"),
    path(f"{_ONE}restrict/", views.restrict, name="outside-restrict"),
    path(f"{_ONE}restrictions/<uuid:restriction>/lift/", views.lift, name="outside-lift"),
]
