"""The custody entries of listening: one for each opened page that was listened to."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import Detail, record

from .custody_kinds import LISTEN
from .models import PageView, Recording

VALID = timedelta(hours=12)
"""How long a page's player counts as one listening; longer than a sign-in lasts."""


def open_page(user: User, recording: Recording) -> str:
    """Remember that a page was opened, forget those of the past, and return the token for its player."""
    token = secrets.token_hex(16)
    with transaction.atomic():
        PageView.objects.filter(opened_at__lt=timezone.now() - VALID).delete()
        PageView.objects.create(token=token, user=user, recording=recording)
    return token


def enter(user: User, recording: Recording, token: str, second: int, **what: Detail) -> None:
    """Make the `listen` entry if this is the first audio of a page view.

    A request with no token of this user's for this recording is no page's player: each makes an entry of its own, so
    that nothing is heard without one. `what` are members of that entry: a redacted copy that is heard instead.
    """
    with one_deed():
        mine = PageView.objects.filter(
            token=token, user=user, recording=recording, opened_at__gte=timezone.now() - VALID
        )
        # the condition in the UPDATE lets only one of several simultaneous requests be the first
        first = mine.filter(heard_at=None).update(heard_at=timezone.now())
        if first or not mine.exists():
            how = "player" if first else "direct address"
            record(
                LISTEN,
                actor=Actor.user(user.pk),
                subject=Subject.recording(recording.pk),
                from_second=second,
                how=how,
                **what,
            )
