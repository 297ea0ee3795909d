"""Today looks at meetings whose facts changed alone, and passes over none that lacks its incident record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.core.jobs import JOBS
from archive.recordings.models import Recording
from archive.records.incidents import look_deeds as looking
from archive.records.incidents.look_deeds import look_again
from archive.records.incidents.models import Incident, LookAgain
from archive.records.incidents.reach import lacking, without_record
from archive.records.meetings.models import Filing, Meeting, Notice, OpeningEvent, ParentRecords
from tests.archive.page_fixtures import Arrive
from tests.archive.records.factories import make_filing, make_meeting
from tests.support.archives import Archive, change_as_owner

pytestmark = pytest.mark.both_engines


def past(**fields: Any) -> Meeting:
    fields.setdefault("parent_records", ParentRecords.YES)
    return make_meeting(starts=timezone.now() - timedelta(days=800), **fields)


def asked() -> set[Any]:
    return set(without_record(Meeting.objects.all(), timezone.now()).values_list("pk", flat=True))


def notice(**fields: Any) -> Notice:
    now = timezone.now()
    return Notice.objects.create(received_at=now, meeting_at=now, **fields)


def note(meeting: Meeting, recording: str) -> OpeningEvent:
    now = timezone.now()
    return OpeningEvent.objects.create(meeting=meeting, kind="note", at=now, received_at=now, recording_id=recording)


def explained(meeting: Meeting, recording: str) -> Incident:
    now = timezone.now()
    said = {"cause": "other", "explanation": "x", "told": "x", "done": "x"}
    return Incident.objects.create(meeting=meeting, recording_id=recording, missing="all", entered_at=now, **said)


def said_later(_: str) -> tuple[Meeting, Callable[[], object]]:
    meeting = past(parent_records=ParentRecords.UNKNOWN)
    return meeting, lambda: Meeting.objects.update(parent_records=ParentRecords.YES)


def noticed_later(_: str) -> tuple[Meeting, Callable[[], object]]:
    meeting = past(parent_records=ParentRecords.UNKNOWN)
    return meeting, lambda: notice(student=meeting.student, meeting=meeting)


def notice_tied_later(_: str) -> tuple[Meeting, Callable[[], object]]:
    meeting = past(parent_records=ParentRecords.UNKNOWN)
    notice(student=meeting.student)
    return meeting, lambda: Notice.objects.update(meeting=meeting)


def takes_place_after_all(_: str) -> tuple[Meeting, Callable[[], object]]:
    return past(cancelled_at=timezone.now()), lambda: Meeting.objects.update(cancelled_at=None)


def called_wrong(recording: str) -> tuple[Meeting, Callable[[], object]]:
    make_filing(recording, meeting := past())
    return meeting, lambda: Filing.objects.update(end_asked_at=timezone.now())


def ended(recording: str) -> tuple[Meeting, Callable[[], object]]:
    make_filing(recording, meeting := past())
    return meeting, lambda: Filing.objects.update(ended_at=timezone.now())


def unfiled(recording: str) -> tuple[Meeting, Callable[[], object]]:
    make_filing(recording, meeting := past())
    return meeting, lambda: Filing.objects.all().delete()


def filed_elsewhere(recording: str) -> tuple[Meeting, Callable[[], object]]:
    make_filing(recording, meeting := past())
    other = past(parent_records=ParentRecords.NO)
    return meeting, lambda: Filing.objects.update(meeting=other)


def note_of_no_recording(recording: str) -> tuple[Meeting, Callable[[], object]]:
    note(meeting := past(), recording)
    return meeting, lambda: OpeningEvent.objects.update(recording=None)


def note_gone(recording: str) -> tuple[Meeting, Callable[[], object]]:
    note(meeting := past(), recording)
    return meeting, lambda: OpeningEvent.objects.all().delete()


def record_gone(recording: str) -> tuple[Meeting, Callable[[], object]]:
    explained(meeting := past(), recording)
    change_as_owner("UPDATE recordings_recording SET destroyed_at = '2026-03-04 15:00:00+00:00'")
    return meeting, lambda: Incident.objects.all().delete()


def found_with_gaps(recording: str) -> tuple[Meeting, Callable[[], object]]:
    make_filing(recording, meeting := past())
    return meeting, lambda: Recording.objects.update(lost_frames=9)


def not_destroyed(_: str) -> tuple[Meeting, Callable[[], object]]:
    return past(recording_destroyed=True), lambda: Meeting.objects.update(recording_destroyed=False)


CHANGES = [
    *(said_later, noticed_later, notice_tied_later, takes_place_after_all, called_wrong, ended, unfiled),
    *(filed_elsewhere, note_of_no_recording, note_gone, record_gone, found_with_gaps, not_destroyed),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_years_later_is_asked_about_at_once(
    archive: Archive, sealed: Arrive, change: Callable[[str], tuple[Meeting, Callable[[], object]]]
) -> None:
    """Whoever makes the change, a deed, an import or a script: the database itself notes it."""
    meeting, make_it = change(sealed(seconds=1).id)
    look_again(StopSignal())
    assert (asked(), LookAgain.objects.count()) == (set(), 0)
    make_it()
    assert asked() == {meeting.pk}
    look_again(StopSignal())
    assert asked() == {meeting.pk} == set(LookAgain.objects.values_list("meeting", flat=True))


def test_a_recording_that_is_sealed_with_gaps_is_asked_about(archive: Archive, arrive: Arrive) -> None:
    recording = arrive(seconds=1).id
    make_filing(recording, meeting := past())
    look_again(StopSignal())
    assert not LookAgain.objects.exists()
    Recording.objects.filter(pk=recording).update(frames=5, lost_frames=9)
    assert not LookAgain.objects.exists(), "what still arrives is looked at once it is sealed"
    Recording.objects.filter(pk=recording).update(state="sealed")
    assert asked() == {meeting.pk}


def test_the_worker_keeps_one_row_of_each_meeting_that_lacks_its_record(archive: Archive, sealed: Arrive) -> None:
    assert look_again in [job.run for job in JOBS]
    lacks = [past() for _ in range(3)]
    make_filing(sealed(seconds=1).id, past())
    past(parent_records=ParentRecords.NO)
    for one in lacks:
        Meeting.objects.filter(pk=one.pk).update(parent_records=ParentRecords.YES)
    look_again(StopSignal())
    assert sorted(LookAgain.objects.values_list("meeting", flat=True)) == sorted(one.pk for one in lacks)
    assert asked() == {one.pk for one in lacks}


def test_more_changes_than_are_read_at_once_are_all_looked_at(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "AT_ONCE", 2)
    lacks = [past() for _ in range(3)]
    for _ in range(5):
        past(parent_records=ParentRecords.NO)
    look_again(StopSignal())
    assert set(LookAgain.objects.values_list("meeting", flat=True)) == {one.pk for one in lacks} == asked()
    Meeting.objects.update(parent_records=ParentRecords.NO)
    look_again(StopSignal())
    assert not LookAgain.objects.exists()


def test_a_change_while_the_worker_looks_is_not_forgotten(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_filing(sealed(seconds=1).id, meeting := past())

    def then_called_wrong(rows: Any) -> Any:
        found = list(lacking(rows).values_list("pk", flat=True))
        Filing.objects.update(end_asked_at=timezone.now())
        return Meeting.objects.filter(pk__in=found)

    with monkeypatch.context() as patched:
        patched.setattr(looking, "lacking", then_called_wrong)
        stop, once = StopSignal(), iter([False, True])
        patched.setattr(stop, "is_set", lambda: next(once))
        look_again(stop)
    assert asked() == {meeting.pk}
