"""One-time links by which somebody sets the password of their own account, so that nobody else ever knows it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.utils import timezone

from .models import Invitation, User

VALID_FOR: Final = timedelta(days=7)
"""How long a link works."""


def issue(user: User) -> str:
    """Return the text of a new link for `user`, 256 random bits; one that was given out before stops working."""
    text = secrets.token_urlsafe(32)
    fresh = {"digest": _digest(text), "valid_until": timezone.now() + VALID_FOR}
    Invitation.objects.update_or_create(user=user, defaults=fresh)
    return text


def find(text: str) -> Invitation | None:
    """Return the invitation of a link; None if it was used, replaced, is too old, or its account has ended."""
    invitation = Invitation.objects.select_related("user").filter(digest=_digest(text)).first()
    if invitation is None or invitation.valid_until <= timezone.now() or not invitation.user.is_active:
        return None
    return invitation


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
