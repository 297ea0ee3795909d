"""What somebody typed outlives their session, and a failure: it is shown again, and can be sent again.

A form that is sent without a session gets the sign-in page, which carries the fields along, encrypted. After
the sign-in the form's page fills itself in with `fill`; a page that does not is replaced by one that lists the fields
and sends them on. Nothing is ever sent by itself. `KeepTyped`, the middleware, is also what asks every page for a
sign-in. Where the archive itself fails, as on a full disk, the page that tells so holds the fields (`after_failure`).
Passwords, fields called `code` and files are not kept, and what one person typed in a browser is shown to
nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, ValidationError

from archive.core.errors import not_our_form, wants_json
from archive.core.once import FIELD as ONCE

from . import throttle
from .encrypted_text import decrypt, encrypt
from .forms import cookie_name
from .models import User
from .pages import sign_in_words
from .sessions import at_kiosk

MOST: Final = 64 << 10
"""Most characters that are kept of one form; more than any of our forms takes."""
KEPT_FOR: Final = timedelta(hours=12)
"""How long a sign-in page may stand open until what it carries is forgotten."""
NEVER: Final = ("password", "secret", "credential")
"""A field with one of these in its name is never kept."""
LINE: Final = 80
"""What is longer, in characters, is shown in a field of several lines."""
_OURS: Final = {"csrfmiddlewaretoken", "next", "typed"}
_NEVER_EXACTLY: Final = {"code"}
_SESSION: Final = "typed"


class Typed(BaseModel):
    """A form as it was sent."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Where it was sent, with its query."""
    by: str
    """Identifier of who typed it."""
    fields: tuple[tuple[str, str], ...]
    """Name and value of each field, in their order."""

    def encrypted(self) -> str:
        """Return it as a text that only this archive reads."""
        return encrypt(self.model_dump_json())

    def data(self) -> QueryDict:
        """Return it as a form takes it."""
        data = QueryDict(mutable=True)
        for name, value in self.fields:
            data.appendlist(name, value)
        return data


def remember(request: HttpRequest, encrypted: str) -> None:
    """Keep, in the session that begins, what the sign-in page carried along."""
    if encrypted and len(encrypted) <= 4 * MOST:
        request.session[_SESSION] = encrypted


def fill(request: HttpRequest, form: forms.BaseForm) -> None:
    """Fill an unbound form in with what was typed for this page before the session ended, if anything was.

    Call it where a page shows its empty form. It says at the top of the page what happened.
    """
    typed: Typed | None = getattr(request, "typed", None)
    if typed is None or form.is_bound:
        return
    data = typed.data()
    for name, field in form.fields.items():
        if not isinstance(field.widget, forms.PasswordInput | forms.FileInput):
            form.initial[name] = field.widget.value_from_datadict(data, {}, form.add_prefix(name))
    if not getattr(request, "typed_shown", False):
        messages.warning(request, _("You had been signed out. What you typed is below, and was not sent yet."))
    request.typed_shown = True  # type: ignore[attr-defined]


class KeepTyped(LoginRequiredMiddleware):
    """Django's rule that every page needs a sign-in, and what was typed kept through it."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; where a page does not show what was typed for it, show that instead."""
        typed = _kept(request)
        if typed is None:
            return self.get_response(request)  # type: ignore[return-value]  # no view of ours is asynchronous
        request.typed = typed  # type: ignore[attr-defined]
        response: Any = self.get_response(request)
        shown = getattr(request, "typed_shown", False) or response.status_code >= HTTPStatus.BAD_REQUEST
        return response if shown else _typed_page(request, typed)

    def handle_no_permission(  # type: ignore[override]  # Django leads to the sign-in, and this shows it at once
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        """Lead to the sign-in, with what was typed."""
        typed = _collect(request)
        if typed is None:
            return super().handle_no_permission(request, view_func)
        return _sign_in_page(request, typed)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form whose token is not the browser's; if only its session was another one, show what was typed."""
    typed = _collect(request) if _from_our_page(request) else None
    if typed is None:
        return not_our_form(request, reason)
    return _typed_page(request, typed) if request.user.is_authenticated else _sign_in_page(request, typed)


def _from_our_page(request: HttpRequest) -> bool:
    # as archive.core.headers.HiddenOrigin left it, which request.headers does not see
    origin = request.META.get("HTTP_ORIGIN")
    return origin in {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}


def after_failure(request: HttpRequest, words: Mapping[str, str | Promise]) -> str:
    """Return the page that tells in `words` why a form could not be saved, with its fields to be sent again.

    Returns nothing where nothing can be kept: a form of another site, one with a secret that nobody may see again, one
    of a session that has just ended, a screen that others use and that cannot be told to close itself. The form's token
    stays the same, so one that was saved after all is not saved twice.
    """
    fields = _to_send_again(request)
    if not fields:
        return ""
    page = {**words, "path": request.get_full_path(), "fields": _shown(fields), "files": bool(request.FILES)}
    try:
        return render_to_string("accounts/typed.html", page, request)
    except DatabaseError:
        # who is signed in cannot be asked; only a session that was read before says whose screen it is
        shared = _may_be_shared(request)
        return "" if shared else render_to_string("accounts/typed.html", {**page, "csrf_token": get_token(request)})


def _to_send_again(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    """Return the fields of a form that the archive failed at; none where they are not to be shown."""
    # a failure may come before the token was looked at
    ours = getattr(request, "csrf_processing_done", False) or _from_our_page(request)
    # whoever sits there now may be another person
    ended = getattr(request, "session_ended_of", None) is not None
    if request.method != "POST" or wants_json(request) or not ours or ended:
        return ()
    try:
        fields, sent = tuple(_fields(request.POST)), sum(len(values) for _, values in _sent(request.POST))
    except (SuspiciousOperation, MultiPartParserError, OSError):
        return ()
    # a form before the sign-in with a secret in it is filled in anew
    whole = _needs_sign_in(request) or len(fields) == sent
    return fields if whole and _anything(fields) else ()


def _may_be_shared(request: HttpRequest) -> bool:
    try:
        return at_kiosk(request.session)
    except (AttributeError, DatabaseError):
        return True


def _sign_in_page(request: HttpRequest, typed: Typed) -> HttpResponseBase:
    words = sign_in_words(request, next_page=typed.path, typed=typed.encrypted())
    return render(request, "accounts/sign_in.html", words, status=HTTPStatus.FORBIDDEN)


def _typed_page(request: HttpRequest, typed: Typed) -> HttpResponseBase:
    return render(request, "accounts/typed.html", {"path": typed.path, "fields": _shown(typed.fields)})


def _shown(fields: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "label": "" if name == ONCE else name.replace("_", " ").replace("-", " ").capitalize(),
            "value": value,
            "long": "\n" in value or len(value) > LINE,
        }
        for name, value in fields
    ]


def _collect(request: HttpRequest) -> Typed | None:
    """Return what a form sent, if it is to be kept: something was typed, by whom this browser knows."""
    by = _typist(request)
    if request.method != "POST" or not by or not _needs_sign_in(request):
        return None
    fields = tuple(_fields(request.POST))
    long = sum(len(name) + len(value) for name, value in fields) > MOST
    if long or not _anything(fields):
        return None
    return Typed(path=request.get_full_path(), by=by, fields=fields)


def _anything(fields: Iterable[tuple[str, str]]) -> bool:
    return any(value.strip() for name, value in fields if name != ONCE)


def _fields(data: QueryDict) -> Iterator[tuple[str, str]]:
    for name, values in _sent(data):
        if name not in _NEVER_EXACTLY and not any(part in name.lower() for part in NEVER):
            yield from ((name, str(value)) for value in values)


def _sent(data: QueryDict) -> Iterator[tuple[str, list[Any]]]:
    """Yield the fields without what our own pages add."""
    return ((name, values) for name, values in data.lists() if name not in _OURS)


def _typist(request: HttpRequest) -> str:
    """Return who typed: who is signed in, whose session ended just now, or who last signed in with this browser."""
    if request.user.is_authenticated:
        return str(request.user.pk)
    ended: UUID | None = getattr(request, "session_ended_of", None)
    return str(ended or throttle.browser_user(request.COOKIES.get(cookie_name(), "")))


def _needs_sign_in(request: HttpRequest) -> bool:
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return getattr(view, "login_required", True)


def _kept(request: HttpRequest) -> Typed | None:
    """Return what was typed for the address that is asked for now, by whom it is; it is forgotten with that."""
    if request.method != "GET" or not request.session.session_key:
        return None
    encrypted = request.session.get(_SESSION)
    if not encrypted or not isinstance(request.user, User):
        return None
    text = decrypt(encrypted, KEPT_FOR)
    try:
        typed = None if text is None else Typed.model_validate_json(text)
    except ValidationError:
        typed = None
    if typed is None or typed.by != str(request.user.pk):
        del request.session[_SESSION]
        return None
    if typed.path != request.get_full_path():
        return None
    del request.session[_SESSION]
    return typed
