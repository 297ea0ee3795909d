"""Who may open recordings, and the custody entry of whoever may not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AbstractUser, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase

from archive.custody.kinds import Kind
from archive.custody.log import record

_RIGHT: Final = {"codename": "listen", "content_type__app_label": "recordings", "content_type__model": "recording"}

View = Callable[..., HttpResponseBase]


def may_listen(user: Any) -> bool:
    """Tell whether `user` was given the right. Being a superuser is not enough: IT cannot listen."""
    if not isinstance(user, AbstractUser) or not user.is_active:
        return False
    return Permission.objects.filter(Q(user=user) | Q(group__user=user), **_RIGHT).exists()


def actor(request: HttpRequest) -> str:
    """Return the custody log's name of the signed-in user."""
    return f"user:{request.user.get_username()}"


def custodian_only(view: View) -> View:
    """Let only listeners through to a view of one recording; a refusal is an entry before it is an answer."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, recording: str, **arguments: str) -> HttpResponseBase:
        if not may_listen(request.user):
            place = request.resolver_match.url_name if request.resolver_match else ""
            record(Kind.REFUSAL, actor=actor(request), recording=recording, page=place, why="not a custodian")
            raise PermissionDenied
        return view(request, recording, **arguments)

    return guarded
