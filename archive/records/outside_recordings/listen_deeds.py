"""Looks, listens, downloads and refusals: each an entry before the first byte."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from archive.access.custody_kinds import REFUSAL
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.custody_kinds import LISTEN, LOOK
from archive.recordings.listens import VALID

from .custody_kinds import DOWNLOADED
from .models import OutsideRecording, OutsideView


def enter_look(user: User, pk: str) -> None:
    """Enter that its page was opened."""
    record(LOOK, actor=Actor.user(user.pk), subject=Subject.outside(pk), page="recording")


def open_page(user: User, row: OutsideRecording) -> str:
    """Remember that a page was opened, forget those of the past, and return the token for its player."""
    token = secrets.token_hex(16)
    with transaction.atomic():
        OutsideView.objects.filter(opened_at__lt=timezone.now() - VALID).delete()
        OutsideView.objects.create(token=token, user=user, outside=row)
    return token


def enter_listen(user: User, row: OutsideRecording, token: str) -> None:
    """Make the `listen` entry if this is the first audio of a page view, or if no page's player asks."""
    with one_deed():
        mine = OutsideView.objects.filter(token=token, user=user, outside=row, opened_at__gte=timezone.now() - VALID)
        # the condition in the UPDATE lets only one of several simultaneous requests be the first
        first = mine.filter(heard_at=None).update(heard_at=timezone.now())
        if first or not mine.exists():
            how = "player" if first else "direct address"
            record(LISTEN, actor=Actor.user(user.pk), subject=Subject.outside(row.pk), how=how)


def enter_download(user: User, row: OutsideRecording, first: int, size: int, documents: int = 0) -> None:
    """Enter that the file, or a part of it, is handed out, and how many documents went along."""
    part = {} if size == row.size else {"first_byte": first, "bytes": size}
    along = {"documents": documents} if documents else {}
    record(DOWNLOADED, actor=Actor.user(user.pk), subject=Subject.outside(row.pk), **part, **along)


def enter_refusal(user: User, pk: str, deed: Deed, page: str) -> None:
    """Enter that somebody asked for what is restricted."""
    actor, subject = Actor.user(user.pk), Subject.outside(pk)
    record(REFUSAL, actor=actor, subject=subject, deed=deed.value, page=page, why="restricted")
