"""Entering record series and what the district decided about them: each with its custody entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.meetings.models import MeetingKind

from .custody_kinds import ANSWER, SERIES
from .models import Answer, CountsFrom, Series


@dataclass(frozen=True)
class AnswerFacts:
    """What the district decided about a series."""

    permanent: bool
    years: int | None
    counts_from: str
    on_request: bool
    """Whether a parent may ask for destruction before (34 CFR 300.624(b))."""
    citation: str
    decided_by: str
    decided_on: date
    advice: str
    """Whose advice, of which day, and where the paper is."""


def enter_series(code: str, title: str, kinds: list[MeetingKind], *, by: User) -> Series:
    """Enter a series; nothing of it may be destroyed before it was decided how long it is kept. Raises DeedError."""
    if not kinds:
        raise DeedError("Say recordings of which meetings belong to it.", field="kinds")
    with one_deed():
        if Series.objects.filter(code__iexact=code).exists():
            raise DeedError("There is a series with this code.", field="code")
        row = Series(
            code=code, title=title, kinds=[one.value for one in kinds], entered_at=timezone.now(), entered_by=by
        )
        record(SERIES, actor=Actor.user(by.pk), subject=Subject.series(row.pk), kinds=",".join(row.kinds))
        row.save(force_insert=True)
    return row


def enter_answer(pk: UUID, facts: AnswerFacts, *, by: User) -> Answer:
    """Enter what the district decided; an earlier decision goes on counting for what was made before. DeedError."""
    _check(facts)
    with one_deed():
        series = Series.objects.select_for_update().filter(pk=pk).first()
        if series is None:
            raise UnknownRecordError("there is no such series here")
        row = Answer(
            series=series,
            number=series.answers.count() + 1,
            entered_at=timezone.now(),
            entered_by=by,
            **vars(facts),
        )
        row.entry = record(
            ANSWER,
            actor=Actor.user(by.pk),
            subject=Subject.series(pk),
            answer_id=str(row.pk),
            permanent=row.permanent,
            years=row.years,
            counts_from=str(row.counts_from),
            on_request=row.on_request,
            decided_on=row.decided_on.isoformat(),
        ).n
        row.save(force_insert=True)
    return row


def _check(facts: AnswerFacts) -> None:
    if facts.decided_on > timezone.localdate():
        raise DeedError("This day is still to come.", field="decided_on")
    if facts.permanent and (facts.years is not None or facts.counts_from):
        raise DeedError("What is permanent counts no years.", field="years")
    if not facts.permanent and (facts.years is None or facts.counts_from not in CountsFrom.values):
        raise DeedError("Say for how many years it is kept, and from when they count.", field="years")
