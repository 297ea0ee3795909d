"""Addresses of transcripts."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

_ONE = "recordings/<recording:recording>/transcripts/<int:version>/"
urlpatterns: list[URLPattern] = [
    path("recordings/<recording:recording>/transcript/", views.transcript, name="transcript"),
    path("recordings/<recording:recording>/transcripts/new/", views.bring, name="transcript-new"),
    path("recordings/<recording:recording>/transcripts/draft/", views.ask, name="transcript-ask"),
    path(_ONE, views.transcript, name="transcript-version"),
    path(f"{_ONE}transcript.vtt", views.file, name="transcript-file"),
    path(f"{_ONE}answer/", views.answer, name="transcript-answer"),
    path(f"{_ONE}set-aside/", views.set_aside, name="transcript-set-aside"),
]
