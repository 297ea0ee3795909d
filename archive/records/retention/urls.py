"""Addresses of retention."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("retention/", views.retention, name="retention"),
    path("retention/ahead/", views.ahead, name="retention-ahead"),
    path("retention/question/", views.question, name="retention-question"),
    path("retention/new/", views.series_new, name="series-new"),
    path("retention/<uuid:series>/", views.series, name="series"),
    path("retention/<uuid:series>/answer/", views.answer_new, name="answer-new"),
]
