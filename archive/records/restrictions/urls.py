"""Addresses of restricted passages."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("recordings/<recording:recording>/restrict/", views.restrict, name="restrict"),
    path("recordings/<recording:recording>/restrictions/<uuid:restriction>/lift/", views.lift, name="restriction-lift"),
]
