"""Addresses of the lists."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("lists/", views.lists, name="lists"),
    path("lists/types/new/", views.holding_new, name="record-type-new"),
    path("lists/types/<uuid:holding>/end/", views.holding_end, name="record-type-end"),
    path("lists/people/<uuid:member>/position/", views.position, name="position"),
    path("lists/people/<uuid:member>/training/", views.training, name="training"),
    path("lists/answers/new/", views.answer, name="public-records-answer"),
    path("lists/<slug:what>/", views.one_list, name="list"),
    path("lists/<slug:what>/publish/", views.publish, name="list-publish"),
    path("lists/<slug:what>/list.csv", views.as_csv_file, name="list-csv"),
    path("lists/<slug:what>/list.pdf", views.as_pdf_file, name="list-pdf"),
]
