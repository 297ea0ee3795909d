"""How long a session lasts, and what is known about it: who, where, since when, with a second factor or not.

A session ends after 8 hours, when nobody used it for a while ([sign_in] idle_min), with its account, and when the
password changes; the person ends it, on this browser or elsewhere; a custodian ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal

from .models import Invitation, User

LONGEST: Final = timedelta(hours=8)
"""No session lasts longer: a working day."""
NOTED: Final = timedelta(minutes=1)
"""How exactly it is known when a session was last used: one durable write a minute, not one a request."""
KIOSK_IDLE: Final = timedelta(minutes=4)
"""How long a session on a shared screen may be unused. The page itself ends it after two (ui/kiosk.js)."""
FORGET_S: Final = 3600.0
"""How often ended sessions are cleared away, in seconds."""
_SIGNED_IN_AT: Final = "signed_in_at"
_SEEN_AT: Final = "seen_at"
_SECOND_FACTOR: Final = "second_factor"
_KIOSK: Final = "kiosk"
_WALL: Final = "wall"


def begin(request: HttpRequest, user: User, **_: Any) -> None:
    """Note when a session began and how the person was known (receives Django's `user_logged_in`)."""
    request.session[_SIGNED_IN_AT] = request.session[_SEEN_AT] = time.time()
    provider = settings.ARCHIVE.sign_in.provider
    by_provider = provider is not None and provider.second_factor
    methods = {record["method"] for record in get_authentication_records(request, user)}
    if "mfa" in methods or (by_provider and "socialaccount" in methods):
        request.session[_SECOND_FACTOR] = True


def how(request: HttpRequest, user: User) -> str:
    """Return by what the person was known: `passkey`, `provider` or `password`; with a code, `password-and-code`."""
    records = get_authentication_records(request, user)
    if any(record.get("passwordless") for record in records):
        return "passkey"
    first = "provider" if any(record["method"] == "socialaccount" for record in records) else "password"
    second = {"webauthn": "-and-passkey", "totp": "-and-code", "recovery_codes": "-and-recovery-code"}
    used = [str(record.get("type")) for record in records if record["method"] == "mfa"]
    return first + (second.get(used[-1], "") if used else "")


def has_second_factor(session: SessionBase) -> bool:
    """Tell whether the person proved a second factor in this session, or the provider saw to it."""
    return bool(session.get(_SECOND_FACTOR))


def set_second_factor(session: SessionBase, *, proved: bool) -> None:
    """Note that a second factor was set up, and so proved, in this session; or that there is none any more."""
    session[_SECOND_FACTOR] = proved


def begin_kiosk(session: SessionBase) -> None:
    """Note that this session is on a shared screen: it ends soon when nobody uses it, and leads back to the kiosk."""
    session[_KIOSK] = True


def at_kiosk(session: SessionBase) -> bool:
    """Tell whether this session is on a shared screen."""
    return bool(session.get(_KIOSK))


def begin_wall(session: SessionBase) -> None:
    """Note that this session is a screen on a wall: nobody touches it, and nothing but the rooms is shown in it."""
    session[_WALL] = True


def at_wall(session: SessionBase) -> bool:
    """Tell whether this session is a screen on a wall."""
    return bool(session.get(_WALL))


def count_open(user: User, *, but: str = "") -> int:
    """Return how many sessions of `user` are open, without the one with the key `but`."""
    keys = UserSession.objects.filter(user=user).exclude(session_key=but).values("session_key")
    return Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).count()


def end_sessions(user: User, *, but: str = "") -> None:
    """End every session of `user` except the one with the key `but`."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=but):
        session.end()


class SessionLimits:
    """Middleware that ends sessions that are too old or were not used, and notes when the others were used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if request.session.session_key and request.user.is_authenticated:
            kiosk = at_kiosk(request.session)
            self._look(request, request.user)
            if kiosk and not request.user.is_authenticated:
                return HttpResponseRedirect(f"{reverse('pages:kiosk')}?left=1")
        return self.get_response(request)

    @staticmethod
    def _look(request: HttpRequest, user: User) -> None:
        session, now = request.session, time.time()
        idle = timedelta(minutes=settings.ARCHIVE.sign_in.idle_min).total_seconds()
        if at_kiosk(session):
            idle = min(idle, KIOSK_IDLE.total_seconds())
        seen_at = session.get(_SEEN_AT, 0.0)
        if now - session.get(_SIGNED_IN_AT, 0.0) >= LONGEST.total_seconds() or now - seen_at >= idle:
            # what this person was typing is for nobody else, also where the sign-out fails
            request.session_ended_of = user.pk  # type: ignore[attr-defined]
            logout(request)
        # a page that asks by itself again and again is not a person who uses it; a wall has none, and shows no more
        elif now - seen_at >= NOTED.total_seconds() and (at_wall(session) or not request.path_info.endswith(".json")):
            session[_SEEN_AT] = now
            UserSession.objects.create_from_request(request)


def forget_ended(_stop: StopSignal) -> None:
    """Clear away what can no longer be used: ended sessions and invitations (a job of the worker)."""
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    Invitation.objects.filter(valid_until__lte=timezone.now()).delete()
