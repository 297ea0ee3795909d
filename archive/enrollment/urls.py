"""Addresses that a new box knows from its claim (docs/enrollment.md), and those of the pages about claims and boxes."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import pages, views

urlpatterns = [
    path("enroll", views.enroll, name="box-enroll"),
    path("renew", views.renew, name="box-renew"),
]

pages_urlpatterns: list[URLPattern] = [
    path("boxes/", pages.boxes, name="boxes"),
    path("boxes/claims/new/", pages.claim_new, name="claim-new"),
    path("boxes/claims/file/", pages.claim_file_answer, name="claim-file"),
    path("boxes/claims/<int:claim>/withdraw/", pages.claim_withdraw, name="claim-withdraw"),
    path("boxes/<str:box>/new-board/", pages.box_new_board, name="box-new-board"),
    path("boxes/<str:box>/retire/", pages.box_retire, name="box-retire"),
]
