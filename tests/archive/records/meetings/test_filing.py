"""Filing takes two, stays told, and opens nothing before: the worst mistake is a wrong one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.accounts import invite_again
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.people import set_password
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.custody.actors import Actor, Subject
from archive.recordings.models import Recording
from archive.records.errors import DeedError, SecondPersonError
from archive.records.meetings import filing_deeds as deeds
from archive.records.meetings.describe import meeting_words
from archive.records.meetings.filing_deeds import Part
from archive.records.meetings.models import Filing, Meeting, ParentRecords
from archive.records.meetings.rules import RecordingDuty
from archive.records.meetings.tray import unfiled
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_meeting, make_room, make_student
from tests.support.archives import Archive
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    """A sealed recording of three seconds, made in Room 12."""
    row = Recording.objects.get(pk=sealed(seconds=3).id)
    row.room = make_room()
    row.save()
    return row


def meeting_at(row: Recording, **options: Any) -> Any:
    return make_meeting(starts=row.created_at - timedelta(minutes=5), **options)


def people(archive: Archive) -> tuple[User, User]:
    return make_user("ann", Deed.FILE), make_user("bob", Deed.FILE)


def listener(student: Any) -> User:
    user = make_user("teacher")
    for deed in (Deed.LIST, Deed.LOOK, Deed.LISTEN):
        Grant.objects.create(user=user, deed=deed, scope_type=ScopeType.STUDENT, scope_id=str(student.pk))
    return user


def test_room_and_time_propose_the_only_meeting_that_fits(archive: Archive, row: Recording) -> None:
    meeting = meeting_at(row)
    assert deeds.propose_all(StopSignal()) == 1
    (filing,) = Filing.objects.all()
    assert (filing.meeting, filing.filed_by, filing.confirmed_at) == (meeting, None, None)
    assert deeds.propose_all(StopSignal()) == 0
    assert [entry.code for entry in entries(row.pk, "filed")] == ["filed"]


@pytest.mark.parametrize("meetings", [0, 2])
def test_what_fits_none_or_several_waits_in_the_tray(archive: Archive, row: Recording, meetings: int) -> None:
    for _ in range(meetings):
        meeting_at(row)
    deeds.propose_all(StopSignal())
    assert list(unfiled()) == [row]


def test_a_recording_whose_time_nobody_knows_is_not_proposed(archive: Archive, row: Recording) -> None:
    meeting_at(row)
    Recording.objects.update(dated=False)
    assert deeds.propose_all(StopSignal()) == 0


def test_what_a_person_ended_is_not_proposed_again(archive: Archive, row: Recording) -> None:
    ann, _ = people(archive)
    meeting_at(row)
    deeds.propose_all(StopSignal())
    deeds.call_wrong(Filing.objects.get().pk, "it was the next meeting", by=ann)
    assert deeds.propose_all(StopSignal()) == 0
    assert list(unfiled()) == [row]


def test_one_files_and_another_one_confirms(archive: Archive, row: Recording) -> None:
    ann, bob = people(archive)
    filing = deeds.file_under(row, meeting_at(row), by=ann)
    with pytest.raises(SecondPersonError):
        deeds.confirm(filing.pk, by=ann)
    deeds.confirm(filing.pk, by=bob)
    assert [(entry.code, entry.actor_id) for entry in entries(row.pk) if entry.code.startswith("fil")] == [
        ("filed", str(ann.pk)),
        ("filing-confirmed", str(bob.pk)),
    ]


def test_who_may_be_in_the_hands_of_the_first_person_is_no_second_one(archive: Archive, row: Recording) -> None:
    ann, bob = people(archive)
    filing = deeds.file_under(row, meeting_at(row), by=ann)
    invite_again(bob, by=ann)
    with pytest.raises(SecondPersonError, match="two people"):
        deeds.confirm(filing.pk, by=bob)
    client = archive.client()
    client.force_login(bob)
    page = check(client.get("/tray/").content.decode())
    assert "cannot tell that you are two people" in page.text
    assert not [one for one in page.all("a") if str(one.get("href")).endswith("/confirm/")], "it leads to no refusal"
    set_password(bob, "another 13579 word", by=Actor.operator(), anew=True)
    deeds.confirm(filing.pk, by=bob)
    invite_again(bob, by=ann)
    deeds.call_wrong(filing.pk, "another child", by=ann)
    for second in (deeds.agree_wrong, deeds.keep):
        with pytest.raises(SecondPersonError, match="two people"):
            second(filing.pk, by=bob)


def test_the_database_itself_refuses_one_person_for_both(archive: Archive, row: Recording) -> None:
    ann, _ = people(archive)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_filing(row.pk, meeting_at(row), filed_by=ann, confirmed_by=ann)


def test_access_begins_with_the_second_person_and_ends_with_the_first_doubt(archive: Archive, row: Recording) -> None:
    ann, bob = people(archive)
    meeting = meeting_at(row)
    user, about = listener(meeting.student), Subject.recording(row.pk)
    filing = deeds.file_under(row, meeting, by=ann)
    assert may(user, Deed.LISTEN, about).reason == "no-grant"
    deeds.confirm(filing.pk, by=bob)
    assert may(user, Deed.LISTEN, about).allowed
    deeds.call_wrong(filing.pk, "another child", by=ann)
    assert may(user, Deed.LISTEN, about).reason == "no-grant"
    with pytest.raises(SecondPersonError):
        deeds.agree_wrong(filing.pk, by=ann)
    deeds.keep(filing.pk, by=bob)
    assert may(user, Deed.LISTEN, about).allowed
    deeds.call_wrong(filing.pk, "another child", by=bob)
    deeds.agree_wrong(filing.pk, by=ann)
    assert may(user, Deed.LISTEN, about).reason == "no-grant"
    assert list(unfiled()) == [row]


def test_refiling_moves_the_access_with_it(archive: Archive, row: Recording) -> None:
    ann, bob = people(archive)
    wrong, right = meeting_at(row), meeting_at(row, student=make_student("Ben"))
    old, new = listener(wrong.student), make_user("other")
    Grant.objects.create(user=new, deed=Deed.LISTEN, scope_type=ScopeType.STUDENT, scope_id=str(right.student_id))
    filing = deeds.file_under(row, wrong, by=ann)
    deeds.confirm(filing.pk, by=bob)
    deeds.call_wrong(filing.pk, "it was Ben's", by=ann)
    deeds.agree_wrong(filing.pk, by=bob)
    deeds.confirm(deeds.file_under(row, right, by=bob).pk, by=ann)
    about = Subject.recording(row.pk)
    assert not may(old, Deed.LISTEN, about).allowed
    assert may(new, Deed.LISTEN, about).allowed


def test_one_recording_may_hold_two_meetings(archive: Archive, row: Recording) -> None:
    ann, _ = people(archive)
    first, second = meeting_at(row), meeting_at(row, student=make_student("Ben"))
    deeds.file_under(row, first, Part(0, row.rate), by=ann)
    with pytest.raises(DeedError, match="another meeting"):
        deeds.file_under(row, second, Part(row.rate // 2, None), by=ann)
    deeds.file_under(row, second, Part(row.rate, None), by=ann)
    assert Filing.objects.count() == 2


@pytest.mark.parametrize("part", [Part(10, 10), Part(10, 5), Part(0, 10**9), Part(10**9, None)])
def test_a_part_lies_inside_its_recording(archive: Archive, row: Recording, part: Part) -> None:
    ann, _ = people(archive)
    with pytest.raises(DeedError, match="inside"):
        deeds.file_under(row, meeting_at(row), part, by=ann)


def test_the_pages_file_by_two(archive: Archive, row: Recording) -> None:
    meeting = meeting_at(row)
    meeting_at(row, student=make_student("Ben", "Ash"))
    ann, bob = (signed_in(archive, name, Deed.FILE) for name in ("ann", "bob"))
    assert "several meetings fit" in ann.get("/tray/").content.decode()
    place = f"/recordings/{row.pk}/file/"
    assert "Ben Ash" in ann.get(place).content.decode()
    answer = ann.post(place, {"meeting": str(meeting.pk), "once": "a" * 32}, follow=True)
    assert "A second person must confirm it" in answer.content.decode()
    assert "Waits for a colleague" in ann.get("/tray/").content.decode()
    (filing,) = Filing.objects.all()
    there = f"/recordings/{row.pk}/filings/{filing.pk}/confirm/"
    assert ann.post(there, {"once": "b" * 32}).status_code == 422
    assert "The filing was confirmed." in bob.post(there, {"once": "c" * 32}, follow=True).content.decode()
    assert "Nothing waits for a second person." in bob.get("/tray/").content.decode()


def test_a_student_s_page_leads_to_the_recordings_that_the_reader_may_open(archive: Archive, row: Recording) -> None:
    meeting = meeting_at(row)
    make_filing(row.pk, meeting)
    there, place = f"/recordings/{row.pk}/", f"/students/{meeting.student_id}/"
    everything = (Deed.PEOPLE, Deed.MEETINGS, Deed.LOOK)
    for number, (may_do, sees) in enumerate([(everything, True), (everything[:2], False), (everything[:1], False)]):
        page = check(signed_in(archive, f"reader{number}", *may_do).get(place).content.decode())
        addresses = [one.get("href") for one in page.all("a")]
        assert (there in addresses) is sees
        assert (f"/meetings/{meeting.pk}/" in addresses) is (Deed.MEETINGS in may_do)
        assert f"/students/{meeting.student_id}/record-of-access/" not in addresses


@pytest.mark.parametrize("typed", ["x", "1:2:3:4", "-1", "99999999999:00", "1:5x"])
def test_a_part_that_is_no_time_is_told_at_its_field(archive: Archive, row: Recording, typed: str) -> None:
    meeting, client = meeting_at(row), signed_in(archive, "ann", Deed.FILE)
    answer = client.post(f"/recordings/{row.pk}/file/", {"meeting": str(meeting.pk), "last": typed, "once": "a" * 32})
    assert answer.status_code == 422
    assert Filing.objects.count() == 0


def test_of_two_who_file_overlapping_parts_at_once_one_is_refused(archive: Archive, row: Recording) -> None:
    ann, bob = people(archive)
    meetings, ready = (meeting_at(row), meeting_at(row)), threading.Barrier(2)

    def file(meeting: Meeting, by: User) -> str:
        try:
            ready.wait(PATIENCE_S)
            deeds.file_under(row, meeting, Part(0, 16000), by=by)
        except DeedError as error:
            return error.message
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(file, meetings, (ann, bob)))
    assert said[0] == ""
    assert "filed under another meeting already" in said[1]
    assert Filing.objects.count() == 1


@pytest.mark.parametrize("deed", ["file_under", "propose"])
def test_the_recording_is_locked_before_its_filings_are_read(
    archive: Archive, row: Recording, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """SQLite has one writer at a time; on PostgreSQL only this lock keeps two from deciding at once."""
    meeting, ann, seen = meeting_at(row), people(archive)[0], list[str]()
    lock, exists = QuerySet.select_for_update, QuerySet.exists

    def locked(self: Any, *names: Any, **options: Any) -> Any:
        seen.append(f"lock {self.model.__name__}")
        return lock(self, *names, **options)

    def asked(self: Any) -> bool:
        seen.append(f"read {self.model.__name__}")
        return exists(self)

    monkeypatch.setattr(QuerySet, "select_for_update", locked)
    monkeypatch.setattr(QuerySet, "exists", asked)
    filing = deeds.propose(row) if deed == "propose" else deeds.file_under(row, meeting, by=ann)
    assert filing is not None
    assert seen.index("lock Recording") < seen.index("read Filing")


def test_what_fits_no_meeting_costs_no_lock(archive: Archive, row: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker looks every 15 s, and most of what waits fits no meeting, now or ever."""
    monkeypatch.setattr(deeds, "propose", lambda _: pytest.fail("a transaction was begun for it"))
    assert deeds.propose_all(StopSignal()) == 0


def test_a_filing_that_was_called_wrong_is_no_recording_of_the_meeting(archive: Archive, sealed: Arrive) -> None:
    meeting = make_meeting(starts=timezone.now() - timedelta(hours=3), parent_records=ParentRecords.YES)
    make_filing(sealed(seconds=1).id, meeting)
    assert meeting_words(Meeting.objects.get()).duty == RecordingDuty.MET
    Filing.objects.update(end_asked_at=timezone.now())
    assert meeting_words(Meeting.objects.get()).duty == RecordingDuty.UNMET
