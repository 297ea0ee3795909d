"""Addresses of the rooms."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import rooms, rooms_json, wall

urlpatterns: list[URLPattern] = [
    path("rooms/", rooms, name="rooms"),
    path("rooms/wall/", wall, name="wall"),
    path("rooms.json", rooms_json, name="rooms-json"),
]
