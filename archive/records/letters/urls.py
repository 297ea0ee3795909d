"""Addresses of letters."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("letters/", views.letters, name="letters"),
    path("letters/texts/", views.texts, name="texts"),
    path("letters/texts/new/", views.text_new, name="text-new"),
    path("letters/texts/<uuid:template>/", views.text, name="text"),
    path("letters/<uuid:letter>/", views.letter, name="letter"),
    path("letters/<uuid:letter>/letter.pdf", views.letter_file, name="letter-file"),
    path("letters/<uuid:letter>/delivery/", views.delivery, name="delivery"),
]
