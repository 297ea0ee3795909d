"""Addresses of disclosures."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_ONE: Final = "disclosures/<uuid:disclosure>/"
_RECORDING: Final = "recordings/<recording:recording>/"
_OUTSIDE: Final = "outside-recordings/<recording:outside>/"
urlpatterns: list[URLPattern] = [
    path("disclosures/", views.disclosures, name="disclosures"),
    path(f"{_RECORDING}disclose/", views.disclosure_new, name="disclosure-new"),
    path(f"{_RECORDING}consents/new/", views.consent_new, name="consent-new"),
    path(f"{_RECORDING}consents/<uuid:consent>/withdraw/", views.consent_withdraw, name="consent-withdraw"),
    path(f"{_RECORDING}recorded/", views.recorded, name="recorded"),
    path(f"{_OUTSIDE}disclose/", views.disclosure_new, name="disclosure-new-outside"),
    path(f"{_OUTSIDE}consents/new/", views.consent_new, name="consent-new-outside"),
    path(f"{_OUTSIDE}consents/<uuid:consent>/withdraw/", views.consent_withdraw, name="consent-withdraw-outside"),
    path(f"{_OUTSIDE}recorded/", views.recorded, name="recorded-outside"),
    path(_ONE, views.disclosure, name="disclosure"),
    path(f"{_ONE}notice/", views.notice, name="disclosure-notice"),
    path(f"{_ONE}letter/", views.notice_letter, name="disclosure-letter"),
    path(f"{_ONE}withdraw/", views.withdraw, name="disclosure-withdraw"),
    path(f"{_ONE}copy.zip", views.copy, name="disclosure-copy"),
    path(f"{_ONE}receipt.pdf", views.receipt, name="disclosure-receipt"),
]
