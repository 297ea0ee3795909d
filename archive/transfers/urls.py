"""Addresses on which what another archive hands over is taken in."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_ONE: Final = "transfers/<recording:upload>/"
urlpatterns: list[URLPattern] = [
    path("transfers/", views.transfers, name="transfers"),
    path("transfers/new/", views.new, name="transfer-new"),
    path(_ONE, views.transfer, name="transfer"),
    path(f"{_ONE}pieces.json", views.piece, name="transfer-piece"),
    path(f"{_ONE}give-up/", views.give_up, name="transfer-give-up"),
]
