"""Entering what the lists say, and publishing them: each with its custody entry."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import NOTHING, Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError

from .custody_kinds import LIST_FILE, POSITION, PUBLISHED, RECORD_TYPE, RECORD_TYPE_ENDED, TRAINING
from .models import Holding, Position, Publication, Training
from .rules import ListKind, sha256
from .tables import members, table_of


def enter_holding(what: str, location: str, keeper: str, *, by: User) -> Holding:
    """Enter a type of records and its place; without `what`, where this archive's own records are.

    A new place of the same type ends the one before. Raises DeedError where nothing would change.
    """
    with one_deed():
        before = Holding.objects.select_for_update().filter(what__iexact=what, own=not what, ended_at=None).first()
        if before is not None and (before.location, before.keeper) == (location, keeper):
            raise DeedError("The list says this already.", field="location")
        row = Holding(
            own=not what, what=what, location=location, keeper=keeper, entered_at=timezone.now(), entered_by=by
        )
        told = _digest(what, location, keeper)
        record(RECORD_TYPE, actor=Actor.user(by.pk), subject=NOTHING, holding=str(row.pk), sha256=told)
        if before is not None:
            before.ended_at = row.entered_at
            before.save(update_fields=["ended_at"])
        row.save(force_insert=True)
    return row


def end_holding(pk: UUID, *, by: User) -> Holding:
    """Take a type of records off the list; that of this archive stays. Raises DeedError."""
    with one_deed():
        row = Holding.objects.select_for_update().filter(pk=pk, own=False).first()
        if row is None:
            raise UnknownRecordError("there is no such type of records here")
        if row.ended_at is not None:
            raise DeedError("It was taken off the list already.")
        record(RECORD_TYPE_ENDED, actor=Actor.user(by.pk), subject=NOTHING, holding=str(pk))
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
    return row


def enter_position(member: UUID, position: str, *, by: User) -> Position:
    """Enter the position of somebody who has access (34 CFR 300.623(d)). Raises UnknownRecordError."""
    user = member_of(member)
    with one_deed():
        record(POSITION, actor=Actor.user(by.pk), subject=Subject.user(user.pk), sha256=_digest(position))
        return Position.objects.create(user=user, position=position, entered_at=timezone.now(), entered_by=by)


def enter_training(member: UUID, held_on: date, what: str, *, by: User) -> Training:
    """Enter that somebody was trained (34 CFR 300.623(c)). Raises DeedError."""
    user = member_of(member)
    with one_deed():
        if Training.objects.filter(user=user, held_on=held_on, what=what).exists():
            raise DeedError("This training was entered already.", field="held_on")
        record(TRAINING, actor=Actor.user(by.pk), subject=Subject.user(user.pk), held_on=held_on.isoformat())
        return Training.objects.create(user=user, held_on=held_on, what=what, entered_at=timezone.now(), entered_by=by)


def publish(kind: ListKind, *, by: User) -> Publication:
    """Publish a list as it stands now. Raises DeedError while something is missing, or where nothing has changed."""
    with one_deed():
        table = table_of(kind)
        if table.gaps:
            raise DeedError("It cannot be published yet. " + " ".join(table.gaps))
        content = table.canonical()
        last = Publication.objects.filter(kind=kind).first()
        if last is not None and last.content == content:
            raise DeedError("Nothing has changed since it was published last.")
        record(
            PUBLISHED,
            actor=Actor.user(by.pk),
            subject=NOTHING,
            what=kind.value,
            rows_count=len(table.rows),
            sha256=sha256(content),
        )
        return Publication.objects.create(kind=kind, content=content, published_at=timezone.now(), published_by=by)


def take_file(publication: Publication, file_type: str, *, by: User) -> None:
    """Enter that a published list is taken out as a file, before its first byte."""
    with one_deed():
        record(
            LIST_FILE,
            actor=Actor.user(by.pk),
            subject=NOTHING,
            what=publication.kind,
            file_type=file_type,
            sha256=sha256(publication.content),
        )


def member_of(pk: UUID) -> User:
    """Return somebody who stands on the list of those with access; raise UnknownRecordError."""
    found = next((one.user for one in members() if one.user.pk == pk), None)
    if found is None:
        raise UnknownRecordError("nobody with this account has access now")
    return found


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
