"""Addresses of redacted copies."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_ONE: Final = "recordings/<recording:recording>/redactions/<uuid:redaction>/"
urlpatterns: list[URLPattern] = [
    path("redactions/", views.redactions, name="redactions"),
    path("recordings/<recording:recording>/redactions/new/", views.redaction_new, name="redaction-new"),
    path(_ONE, views.redaction, name="redaction"),
    path(f"{_ONE}passages/new/", views.passage_new, name="redaction-passage"),
    path(f"{_ONE}passages/<uuid:passage>/remove/", views.passage_remove, name="redaction-passage-remove"),
    path(f"{_ONE}make/", views.make, name="redaction-make"),
    path(f"{_ONE}audio.wav", views.audio, name="redaction-audio"),
    path(f"{_ONE}sign-off/", views.sign_off, name="redaction-sign-off"),
    path(f"{_ONE}reopen/", views.reopen, name="redaction-reopen"),
    path(f"{_ONE}withdraw/", views.withdraw, name="redaction-withdraw"),
    path(f"{_ONE}lift/", views.lift, name="redaction-lift"),
    path(f"{_ONE}exemptions/", views.exemptions, name="redaction-log"),
    path(f"{_ONE}exemptions.pdf", views.exemptions_pdf, name="redaction-log-pdf"),
]
