"""Addresses of meetings' pages: random identifiers, no names (promise 7)."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import filing_views, letter_views, notice_views, opening_views, views

_FILING: Final = "recordings/<recording:recording>/filings/<uuid:filing>/"
urlpatterns: list[URLPattern] = [
    path("notices/new/", notice_views.notice_new, name="notice-new"),
    path("meetings/<uuid:meeting>/notices/<uuid:notice>/correct/", notice_views.notice_correct, name="notice-correct"),
    path("meetings/", views.calendar, name="meetings"),
    path("meetings/new/", views.meeting_new, name="meeting-new"),
    path("meetings/rooms/<uuid:room>/", views.day_sheet, name="day-sheet"),
    path("meetings/<uuid:meeting>/", views.meeting, name="meeting"),
    path("meetings/<uuid:meeting>/edit/", views.meeting_edit, name="meeting-edit"),
    path("meetings/<uuid:meeting>/cancel/", views.meeting_cancel, name="meeting-cancel"),
    path("meetings/<uuid:meeting>/parent-records/", views.parent_records, name="parent-records"),
    path("meetings/<uuid:meeting>/opening/", opening_views.opening, name="opening"),
    path("meetings/<uuid:meeting>/opening/events/", opening_views.opening_events, name="opening-events"),
    path("meetings/<uuid:meeting>/letter/", letter_views.meeting_letter, name="meeting-letter"),
    path("calendars/", views.calendar_import, name="calendar-import"),
    path("calendars/<uuid:calendar>/", views.calendar_run, name="calendar-run"),
    path("tray/", filing_views.tray, name="tray"),
    path("recordings/<recording:recording>/file/", filing_views.file_recording, name="file"),
    path(f"{_FILING}confirm/", filing_views.confirm, name="filing-confirm"),
    path(f"{_FILING}wrong/", filing_views.call_wrong, name="filing-wrong"),
    path(f"{_FILING}end/", filing_views.agree_wrong, name="filing-end"),
    path(f"{_FILING}keep/", filing_views.keep, name="filing-keep"),
]
