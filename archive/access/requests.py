"""Who sends a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

from archive.accounts.models import User
from archive.custody.actors import NETWORK, Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest


def signed_in(request: HttpRequest) -> User | AnonymousUser:
    """Return the user of `request`, who is anonymous without a sign-in."""
    return request.user


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user of `request`; the middleware let nobody else through to a view that needs a deed."""
    user = signed_in(request)
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def actor(request: HttpRequest) -> Actor:
    """Return how the custody log names the user of `request`."""
    user = signed_in(request)
    return Actor.user(user.pk) if isinstance(user, User) else NETWORK
