"""Addresses that a new box knows from its claim (docs/enrollment.md)."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("enroll", views.enroll, name="box-enroll"),
    path("renew", views.renew, name="box-renew"),
]
