"""Addresses of requests and of parents' own pages."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import amendment_views, kiosk_views, letter_views, listen_views, own_views, views

_LISTENING: Final = "requests/<uuid:case>/listen/<recording:recording>/<uuid:listening>/"
urlpatterns: list[URLPattern] = [
    path("requests/", views.requests, name="requests"),
    path("requests/new/", views.request_new, name="request-new"),
    path("requests/asked/", views.asked, name="asked"),
    path("requests/<uuid:case>/", views.access_request, name="request"),
    path("requests/<uuid:case>/explain/", views.explain, name="request-explain"),
    path("requests/<uuid:case>/answer/", views.request_close, name="request-close"),
    path("requests/<uuid:case>/open/", listen_views.request_link, name="request-open"),
    path("requests/<uuid:case>/letter/", letter_views.request_letter, name="request-letter"),
    path("requests/<uuid:case>/links/<uuid:link>/withdraw/", listen_views.link_withdraw, name="link-withdraw"),
    path("requests/<uuid:case>/listen/<recording:recording>/", listen_views.supervised, name="supervised"),
    path(_LISTENING, listen_views.listening, name="listening"),
    path(f"{_LISTENING}audio.wav", listen_views.listening_audio, name="listening-audio"),
    path("students/<uuid:student>/record-of-access/", views.access_record, name="access-record"),
    path("amendments/new/", amendment_views.amendment_new, name="amendment-new"),
    path("amendments/<uuid:case>/", amendment_views.amendment, name="amendment"),
    path("amendments/<uuid:case>/step/", amendment_views.amendment_step, name="amendment-step"),
    path("amendments/<uuid:case>/no-hearing/", amendment_views.amendment_no_hearing, name="amendment-no-hearing"),
    path("amendments/<uuid:case>/statement/", amendment_views.statement, name="statement"),
    path("link/<str:token>/", own_views.parent_link, name="parent-link"),
    path("kiosk/", kiosk_views.kiosk, name="kiosk"),
    path("kiosk/start/", kiosk_views.start, name="kiosk-start"),
    path("own/", own_views.own, name="own"),
    path("own/<uuid:student>/record-of-access/", own_views.own_record, name="own-record"),
]
