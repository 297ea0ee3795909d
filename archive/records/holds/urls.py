"""Addresses of holds."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("holds/", views.holds, name="holds"),
    path("holds/new/", views.matter_new, name="matter-new"),
    path("holds/<uuid:matter>/", views.matter, name="matter"),
    path("holds/<uuid:matter>/edit/", views.matter_edit, name="matter-edit"),
    path("holds/<uuid:matter>/add/", views.matter_add, name="matter-add"),
    path("holds/<uuid:matter>/end/", views.matter_end, name="matter-end"),
    path("holds/<uuid:matter>/items/<uuid:held>/release/", views.release, name="hold-release"),
    path("recordings/<recording:recording>/hold/", views.hold_recording, name="hold-recording"),
    path("outside-recordings/<recording:outside>/hold/", views.hold_outside, name="hold-outside"),
]
