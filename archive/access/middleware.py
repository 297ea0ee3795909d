"""Holding every request against the table of routes, before any view runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from archive.custody.actors import NOTHING, Subject
from archive.custody.log import record

from . import second_factor
from .custody_kinds import REFUSAL
from .decisions import may
from .deeds import OF_ONE_RECORDING, Deed
from .requests import actor, signed_in
from .routes import ROUTES, Open
from .views import place_of

_log = logging.getLogger(__name__)


class AccessMiddleware:
    """Lets a request through to its view only if `access.may` allows its deed. It stands behind the sign-in's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, arguments: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Refuse, or return None to go on; a refusal about a recording is an entry before it is an answer."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        route = ROUTES.get(name)
        if route is None:
            _log.error("%r stands in no table of routes (archive/access/routes.py), so it answers nobody", name)
            raise PermissionDenied
        if route.page and request.method in {"GET", "HEAD"}:
            if isinstance(route.needs, Deed):
                messages.info(request, "Nothing was done: you were signed out. Press the button again.")
            user = signed_in(request)
            place = place_of(user, arguments["recording"]) if "recording" in arguments else reverse(route.page)
            return HttpResponseRedirect(place)
        request.second_factor_missing = SimpleLazyObject(lambda: second_factor.is_missing(request))  # type: ignore[attr-defined]
        if route.needs not in {Open.ANYONE, Open.BOX} and not route.before_second_factor and request.second_factor_missing:
            return HttpResponseRedirect(reverse("mfa_index"))
        if not isinstance(route.needs, Open):
            self._decide(request, name, route.needs, arguments)
        if route.needs is not Open.BOX and request.method not in route.methods:
            return HttpResponseNotAllowed(route.methods)
        return None

    @staticmethod
    def _decide(request: HttpRequest, name: str, deed: Deed, arguments: dict[str, Any]) -> None:
        subject = Subject.recording(arguments["recording"]) if deed in OF_ONE_RECORDING else NOTHING
        decision = may(signed_in(request), deed, subject)
        if decision.allowed:
            return
        if deed in OF_ONE_RECORDING:
            page = name.rpartition(":")[2]
            record(REFUSAL, actor=actor(request), subject=subject, deed=deed.value, page=page, why=decision.reason)
        raise PermissionDenied
