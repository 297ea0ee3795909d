"""Addresses of the first page and of the accounts."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import account_views as accounts
from .views import first

urlpatterns: list[URLPattern] = [
    path("", first, name="first"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.new_account, name="new-account"),
    path("accounts/<uuid:account>/", accounts.account, name="account"),
    path("accounts/<uuid:account>/role/", accounts.hand_out_role, name="account-role"),
    path("accounts/<uuid:account>/role/end/", accounts.take_role_back, name="account-role-end"),
    path("accounts/<uuid:account>/offer/", accounts.settle_offer, name="account-offer"),
    path("accounts/<uuid:account>/invitation/", accounts.new_invitation, name="account-invitation"),
    path("accounts/<uuid:account>/second-step/", accounts.take_factors, name="account-factors"),
    path("accounts/<uuid:account>/sessions/", accounts.end_sessions, name="account-sessions"),
    path("accounts/<uuid:account>/end/", accounts.end_account, name="account-end"),
    path("accounts/<uuid:account>/open/", accounts.open_account, name="account-open"),
    path("accounts/tried/<int:tried>/account/", accounts.make_from_tried, name="tried-account"),
    path("accounts/tried/<int:tried>/dismiss/", accounts.dismiss_tried, name="tried-dismiss"),
]
