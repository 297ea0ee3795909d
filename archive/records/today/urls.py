"""Addresses of the first page."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("today/", views.today, name="today"),
    path("my-rooms/", views.my_rooms, name="my-rooms"),
    path("readiness/", views.readiness, name="readiness"),
]
