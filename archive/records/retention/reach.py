"""How long the recordings that are here are kept: series through the kinds of their meetings, days from both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Min, Prefetch
from django.utils import timezone

from archive.access.scopes import Reach, recordings_in
from archive.custody.actors import SubjectType
from archive.custody.models import Entry
from archive.recordings.models import Recording, State
from archive.records.meetings.models import Filing, MeetingKind
from archive.records.outside_recordings.either import Either, find_either, open_filings
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.models import State as OutsideState
from archive.records.outside_recordings.reach import outside_in

from .models import Answer, Series
from .rules import AHEAD, Kept, Period, Why, counted_days, kept

_CHUNK: Final = 500
"""Most identifiers in one query."""
_Filing = Filing | OutsideFiling
_Series = dict[str, list[list[Period]]]
"""For each kind of meeting its series, each as the list of what was decided about it."""


def series_by_kind() -> _Series:
    """Return for each kind of meeting its series, each as the list of what was decided about it."""
    found: _Series = {}
    for row in Series.objects.prefetch_related("answers"):
        periods = [
            Period(str(row), one.entry, one.permanent, one.years, one.counts_from, one.on_request)
            for one in row.answers.all()
        ]
        for kind in row.kinds:
            found.setdefault(kind, []).append(periods)
    return found


def kept_of(recording: Either) -> Kept:
    """Return how long one recording is kept, whoever made it."""
    filings = open_filings(recording).select_related("meeting__student")
    first = first_entries([recording.pk]).get(recording.pk, 0)
    return _kept(recording, filings, series_by_kind(), first)


def may_go_on(recording: str) -> date | None:
    """Return the first day on which the period of a recording is over; None: never, or not known."""
    return kept_of(find_either(recording)).eligible_on


def first_entries(recordings: Sequence[str]) -> dict[str, int]:
    """Return the number of the first custody entry about each recording."""
    found: dict[str, int] = {}
    for begin in range(0, len(recordings), _CHUNK):
        about = Entry.objects.filter(
            subject_type__in=(SubjectType.RECORDING, SubjectType.OUTSIDE),
            subject_id__in=recordings[begin : begin + _CHUNK],
        )
        found |= dict(about.order_by().values_list("subject_id").annotate(Min("n")))
    return found


def _kept(recording: Either, filings: Iterable[_Filing], series: _Series, first: int) -> Kept:
    filings = list(filings)
    if not filings:
        return Kept(Why.UNFILED)
    if not all(_is_settled(one) for one in filings):
        return Kept(Why.FILING_OPEN)
    return longest([one for filing in filings for one in _kept_of_filing(recording, filing, series, first)])


def _kept_of_filing(recording: Either, filing: _Filing, series: _Series, first: int) -> Iterator[Kept]:
    """Yield how long each kind keeps it that its meeting is of, or was of while something was filed under it."""
    days = _days(recording, filing)
    yield kept(series.get(filing.meeting.kind, []), first, days)
    for kind in filing.meeting.kinds_before:
        if kind != filing.meeting.kind:
            yield replace(kept(series.get(kind, []), first, days), former=True)


def longest(found: list[Kept]) -> Kept:
    """Return what counts of several: what is kept longest, or not known; at a parent's request if all allow it."""
    open_ended = [one for one in found if one.eligible_on is None]
    chosen = open_ended[0] if open_ended else max(found, key=lambda one: one.eligible_on or date.min)
    return replace(chosen, on_request=all(one.on_request for one in found))


def _is_settled(filing: _Filing) -> bool:
    """Tell whether a second person confirmed it and nobody doubts it; a doubt about one that was brought ends it."""
    return filing.confirmed_at is not None and (isinstance(filing, OutsideFiling) or filing.end_asked_at is None)


def _days(recording: Either, filing: _Filing) -> dict[str, date | None]:
    # the last of them: a wrong clock of a box, a moved meeting or a day that was said wrongly shortens nothing
    moments = [filing.meeting.starts_at, *([recording.arrived_at] if recording.arrived_at else [])]
    days = [timezone.localtime(one).date() for one in moments]
    days += [recording.made_on] if isinstance(recording, OutsideRecording) else []
    return counted_days(max(days), filing.meeting.student.left_on)


def ahead(today: date, reach: Reach) -> Iterator[tuple[Either, Kept]]:
    """Yield the sealed recordings of either kind in `reach` whose period is over or ends within a year, by that day.

    Those in no series, or in one of which nobody decided, are never among them.
    """
    shortest = Answer.objects.filter(permanent=False).aggregate(years=Min("years"))["years"]
    if shortest is None:
        return
    filed = {
        "destroyed_at": None,
        # no period that begins later can be over by then
        "arrived_at__date__lte": today + AHEAD - timedelta(days=365 * shortest - 1),
        "filings__ended_at": None,
        "filings__confirmed_at__isnull": False,
    }
    of_boxes = Recording.objects.filter(recordings_in(reach), state=State.SEALED, **filed).select_related("room")
    brought = OutsideRecording.objects.filter(outside_in(reach), state=OutsideState.SEALED, **filed)
    candidates: list[Any] = [
        *of_boxes.distinct().prefetch_related(_open(Filing)).defer("header", "receipt"),
        *brought.distinct().prefetch_related(_open(OutsideFiling)).defer("index", "statement", "receipt"),
    ]
    series, last = series_by_kind(), today + AHEAD
    first = first_entries([row.pk for row in candidates])
    found = [(row, _kept(row, row.open_filings, series, first.get(row.pk, 0))) for row in candidates]
    due = [(row, one) for row, one in found if one.eligible_on is not None and one.eligible_on <= last]
    yield from sorted(due, key=lambda pair: (pair[1].eligible_on or date.max, pair[0].pk))


def _open(model: type[_Filing]) -> Prefetch[Any]:
    filings = model._default_manager.filter(ended_at=None).select_related("meeting__student", "meeting__room")
    return Prefetch("filings", queryset=filings, to_attr="open_filings")


def unanswered() -> list[tuple[MeetingKind, Series | None]]:
    """Return what counsel must be asked: kinds of meetings in no series, and series about which nobody decided."""
    rows = list(Series.objects.prefetch_related("answers"))
    covered = {kind for row in rows for kind in row.kinds}
    missing: list[tuple[MeetingKind, Series | None]] = [(kind, None) for kind in MeetingKind if kind not in covered]
    for row in rows:
        if not row.answers.all():
            missing += [(MeetingKind(kind), row) for kind in row.kinds]
    return missing
