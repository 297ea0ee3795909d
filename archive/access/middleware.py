"""Holding every request against the table of routes, before any view runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from archive.accounts.models import User
from archive.accounts.sessions import at_wall
from archive.core.errors import SIGNED_OUT
from archive.custody.actors import NOTHING, Subject
from archive.custody.log import record

from . import second_factor
from .custody_kinds import REFUSAL
from .decisions import may
from .deeds import Deed
from .requests import actor, signed_in
from .routes import OF_A_WALL, ROUTES, WITHOUT_SIGN_IN, Open
from .views import place_of

_SUBJECTS: Final[dict[str, Callable[[Any], Subject]]] = {
    "recording": Subject.recording,
    "outside": Subject.outside,
    "case": Subject.case,
    "destruction": Subject.destruction,
    "disclosure": Subject.disclosure,
    "letter": Subject.letter,
    "matter": Subject.matter,
    "series": Subject.series,
    "meeting": Subject.meeting,
    "student": Subject.student,
    "person": Subject.person,
    "account": Subject.user,
}
"""What an argument of an address names, the nearest first."""
_log = logging.getLogger(__name__)


class AccessMiddleware:
    """Lets a request to its view only if `access.decisions.may` allows its deed. It stands behind the sign-in's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, arguments: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Refuse, or return None to go on; a refusal is an entry before it is an answer."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        route = ROUTES.get(name)
        if route is None:
            _log.error(
                "%(route)s stands in no table of routes (archive/access/routes.py), so it answers nobody",
                {"route": name},
            )
            raise PermissionDenied
        if name not in OF_A_WALL and route.needs not in WITHOUT_SIGN_IN and at_wall(request.session):
            return HttpResponseRedirect(reverse("pages:wall"))
        if route.page and request.method in {"GET", "HEAD"}:
            if isinstance(route.needs, Deed):
                messages.info(request, str(SIGNED_OUT))
            user = signed_in(request)
            place = _page_of(user, route.page, arguments)
            return HttpResponseRedirect(place)
        missing = SimpleLazyObject(lambda: second_factor.is_missing(request))
        request.second_factor_missing = missing  # type: ignore[attr-defined]  # the page of one's own sign-ins says it
        if route.needs not in WITHOUT_SIGN_IN and not route.before_second_factor and missing:
            return HttpResponseRedirect(reverse("mfa_index"))
        if not isinstance(route.needs, Open):
            self._decide(request, name, route.needs, arguments)
        if request.method not in route.methods:
            return HttpResponseNotAllowed(route.methods)
        return None

    @staticmethod
    def _decide(request: HttpRequest, name: str, deed: Deed, arguments: dict[str, Any]) -> None:
        subject = subject_of(arguments)
        decision = may(signed_in(request), deed, subject)
        if decision.allowed:
            return
        page = name.rpartition(":")[2]
        record(REFUSAL, actor=actor(request), subject=subject, deed=deed.value, page=page, why=decision.reason)
        raise PermissionDenied


def subject_of(arguments: dict[str, Any]) -> Subject:
    """Return what an address is about: the first of its arguments that names a subject."""
    for name, make in _SUBJECTS.items():
        if name in arguments:
            return make(arguments[name])
    return NOTHING


def _page_of(user: User | AnonymousUser, page: str, arguments: dict[str, Any]) -> str:
    """Return the page that stands for an address to which only forms are sent, with what it has of its arguments."""
    if page == "pages:recording":
        return place_of(user, arguments["recording"])
    try:
        return reverse(page, kwargs=arguments)
    except NoReverseMatch:
        return reverse(page)
