"""The kiosk: a shared screen in the office, where a parent types a code that staff made while the parent stood there.

Only a browser that staff made the kiosk asks for codes, so that nobody elsewhere can try them. Whoever leaves is signed
out after two minutes (ui/kiosk.js), at the latest after four (accounts/sessions.py), and nothing of one person is left
for the next: no page is stored, and the language is the office's again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from archive.access.requests import user_of
from archive.accounts.sessions import at_kiosk, begin_kiosk, set_second_factor
from archive.records.form_page import posted
from archive.ui.breadcrumbs import Crumb

from . import link_deeds
from .forms import CodeForm
from .own_views import BACKEND, to_own_pages

LASTS: Final = timedelta(days=30)
"""How long a browser stays the kiosk."""
_SALT: Final = "archive.records.requests.kiosk"
_COOKIE: Final = "__Host-kiosk" if settings.SESSION_COOKIE_SECURE else "kiosk"


@sensitive_post_parameters("code")
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def kiosk(request: HttpRequest) -> HttpResponseBase:
    """Ask for a code, and sign the person in with it. Whoever was signed in at the kiosk before is signed out."""
    left = at_kiosk(request.session) or "left" in request.GET
    if at_kiosk(request.session):
        logout(request)
    if request.get_signed_cookie(_COOKIE, None, salt=_SALT, max_age=LASTS) is None:
        return render(request, "requests/no_kiosk.html")
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = link_deeds.use_kiosk_code(form.cleaned_data["code"])
        except link_deeds.LinkRefusedError as error:
            form.add_error(error.field, error.message)
        else:
            login(request, user, backend=BACKEND)
            # who handed the code over saw the person
            set_second_factor(request.session, proved=True)
            begin_kiosk(request.session)
            return to_own_pages(request, user)
    response = render(request, "requests/kiosk.html", {"form": form}, status=422 if form.is_bound else 200)
    if left:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponseBase:
    """Make this browser the kiosk, and sign its staff out of it."""
    if request.method == "POST":
        by = user_of(request)
        logout(request)
        response = HttpResponseRedirect(reverse("pages:kiosk"))
        response.set_signed_cookie(
            _COOKIE,
            str(by.pk),
            salt=_SALT,
            max_age=LASTS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
        return response
    address = reverse("pages:requests")
    context = {
        "place": "requests",
        "breadcrumbs": [Crumb(_("Requests"), address)],
        "form": Form(),
        "heading": "Make this browser the kiosk",
        "question": "On this screen, a parent types a code that you make on the page of their request.",
        "consequences": ["You are signed out here now.", f"It stays the kiosk for {LASTS.days} days."],
        "submit": "Make it the kiosk",
        "cancel": address,
    }
    return render(request, "ui/confirm.html", context)
