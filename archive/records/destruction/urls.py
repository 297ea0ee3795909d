"""Addresses of destruction."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_ONE: Final = "destructions/<uuid:destruction>/"
urlpatterns: list[URLPattern] = [
    path("destructions/", views.destructions, name="destructions"),
    path("recordings/<recording:recording>/destroy/", views.destruction_new, name="destruction-new"),
    path("outside-recordings/<recording:outside>/destroy/", views.destruction_new, name="destruction-new-outside"),
    path(_ONE, views.destruction, name="destruction"),
    path(f"{_ONE}students/<uuid:student>/people/<uuid:person>/tell/", views.tell, name="destruction-tell"),
    path(f"{_ONE}letters/<uuid:told>/reply/", views.reply, name="destruction-reply"),
    path(f"{_ONE}approve/", views.approve, name="destruction-approve"),
    path(f"{_ONE}withdraw/", views.withdraw, name="destruction-withdraw"),
    path(f"{_ONE}carry-out/", views.carry_out, name="destruction-carry-out"),
    path(f"{_ONE}certificate.pdf", views.certificate, name="destruction-certificate"),
]
