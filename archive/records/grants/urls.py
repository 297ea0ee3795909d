"""Addresses of access."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("access/", views.grants, name="grants"),
    path("access/new/", views.grant_new, name="grant-new"),
    path("access/review/", views.review, name="grant-review"),
    path("access/students/<uuid:student>/accounts/<uuid:account>/end/", views.grant_end, name="grant-end"),
]
