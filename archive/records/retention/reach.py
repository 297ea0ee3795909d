"""How long the recordings that are here are kept: series through the kinds of their meetings, days from both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from django.db.models import Min, Prefetch, Q
from django.utils import timezone

from archive.custody.actors import SubjectType
from archive.custody.models import Entry
from archive.recordings.models import Recording, State
from archive.records.meetings.models import Filing, MeetingKind

from .models import Answer, Series
from .rules import AHEAD, Kept, Period, Why, counted_days, kept

_CHUNK: Final = 500
"""Most identifiers in one query."""


def series_by_kind() -> dict[str, list[list[Period]]]:
    """Return for each kind of meeting its series, each as the list of what was decided about it."""
    found: dict[str, list[list[Period]]] = {}
    for row in Series.objects.prefetch_related("answers"):
        periods = [
            Period(str(row), one.entry, one.permanent, one.years, one.counts_from, one.on_request)
            for one in row.answers.all()
        ]
        for kind in row.kinds:
            found.setdefault(kind, []).append(periods)
    return found


def kept_of(recording: Recording) -> Kept:
    """Return how long one recording is kept."""
    filings = Filing.objects.filter(recording=recording, ended_at=None).select_related("meeting__student")
    first = first_entries([recording.pk]).get(recording.pk, 0)
    return _kept(recording, filings, series_by_kind(), first)


def first_entries(recordings: Sequence[str]) -> dict[str, int]:
    """Return the number of the first custody entry about each recording."""
    found: dict[str, int] = {}
    for begin in range(0, len(recordings), _CHUNK):
        about = Entry.objects.filter(
            subject_type=SubjectType.RECORDING, subject_id__in=recordings[begin : begin + _CHUNK]
        )
        found |= dict(about.order_by().values_list("subject_id").annotate(Min("n")))
    return found


def _kept(recording: Recording, filings: Iterable[Filing], series: dict[str, list[list[Period]]], first: int) -> Kept:
    filings = list(filings)
    if not filings:
        return Kept(Why.UNFILED)
    if any(one.confirmed_at is None or one.end_asked_at is not None for one in filings):
        return Kept(Why.FILING_OPEN)
    found = [kept(series.get(one.meeting.kind, []), first, _days(recording, one)) for one in filings]
    return longest(found)


def longest(found: list[Kept]) -> Kept:
    """Return what counts of several meetings in one recording: what is kept longest, or not known."""
    open_ended = [one for one in found if one.eligible_on is None]
    if open_ended:
        return open_ended[0]
    return max(found, key=lambda one: one.eligible_on or date.min)


def _days(recording: Recording, filing: Filing) -> dict[str, date | None]:
    # the later of both: a wrong clock of a box or a moved meeting shortens nothing
    began = max(timezone.localtime(filing.meeting.starts_at), timezone.localtime(recording.arrived_at))
    return counted_days(began.date(), filing.meeting.student.left_on)


def ahead(today: date, near: Q) -> Iterator[tuple[Recording, Kept]]:
    """Yield the sealed recordings whose period is over or ends within a year, in order of that day.

    `near` is a condition of the recordings' table: those that the reader reaches.

    Those in no series, or in one of which nobody decided, are never among them.
    """
    shortest = Answer.objects.filter(permanent=False).aggregate(years=Min("years"))["years"]
    if shortest is None:
        return
    filings = Filing.objects.filter(ended_at=None).select_related("meeting__student", "meeting__room")
    rows = (
        Recording.objects.filter(
            near,
            state=State.SEALED,
            destroyed_at=None,
            # no period that begins later can be over by then
            arrived_at__date__lte=today + AHEAD - timedelta(days=365 * shortest - 1),
            filings__ended_at=None,
            filings__confirmed_at__isnull=False,
        )
        .distinct()
        .select_related("room")
        .prefetch_related(Prefetch("filings", queryset=filings, to_attr="open_filings"))
        .defer("header", "receipt")
    )
    series, last = series_by_kind(), today + AHEAD
    candidates = list(rows)
    first = first_entries([row.pk for row in candidates])
    found = [(row, _kept(row, row.open_filings, series, first.get(row.pk, 0))) for row in candidates]
    due = [(row, one) for row, one in found if one.eligible_on is not None and one.eligible_on <= last]
    yield from sorted(due, key=lambda pair: (pair[1].eligible_on or date.max, pair[0].pk))


def unanswered() -> list[tuple[MeetingKind, Series | None]]:
    """Return what counsel must be asked: kinds of meetings in no series, and series about which nobody decided."""
    rows = list(Series.objects.prefetch_related("answers"))
    covered = {kind for row in rows for kind in row.kinds}
    missing: list[tuple[MeetingKind, Series | None]] = [(kind, None) for kind in MeetingKind if kind not in covered]
    for row in rows:
        if not row.answers.all():
            missing += [(MeetingKind(kind), row) for kind in row.kinds]
    return missing
