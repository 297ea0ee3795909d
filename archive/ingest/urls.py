"""The boxes' addresses (docs/format.md section 3)."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("recordings/<str:recording>", views.state, name="box-state"),
    path("recordings/<str:recording>/header", views.header, name="box-header"),
    path("recordings/<str:recording>/key", views.key, name="box-key"),
    path("recordings/<str:recording>/lines", views.lines, name="box-lines"),
    path("recordings/<str:recording>/tail/<int:number>", views.tail, name="box-tail"),
    path("recordings/<str:recording>/receipt", views.receipt, name="box-receipt"),
]
