"""Addresses of the rooms."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import rooms, rooms_json

urlpatterns: list[URLPattern] = [
    path("rooms/", rooms, name="rooms"),
    path("rooms.json", rooms_json, name="rooms-json"),
]
