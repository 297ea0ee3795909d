"""A hold beats everything: every role, a shell, a script, a clock; it ends by a person's deed and its entry."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError
from archive.records.holds import deeds
from archive.records.holds.deeds import MatterFacts
from archive.records.holds.models import Held, Matter
from archive.records.holds.reach import ever_held, held_now, held_recordings, matters_of, recordings_of
from archive.records.holds.rules import must_be_looked_at
from archive.records.today.day import Day
from archive.records.today.tasks import holds_due
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_bar,
    make_filing,
    make_hold,
    make_matter,
    make_meeting,
    make_person,
    make_student,
)
from tests.support.archives import Archive, change_as_owner


def facts(**other: Any) -> MatterFacts:
    given = {"title": "Torres v. District", "reason": "a lawsuit", "owner": "Counsel Lee"}
    return MatterFacts(**{**given, "valid_from": date(2026, 11, 1), "valid_until": None, **other})


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    return Recording.objects.get(pk=sealed(seconds=1).id)


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.HOLD)


def test_a_held_key_is_destroyed_by_nobody(row: Recording, ann: User) -> None:
    matter = deeds.open_matter(facts(), by=ann)
    deeds.hold(matter.pk, row, by=ann)
    before = recording_keys().read(row.pk)
    with pytest.raises(KeyHeldError, match="on hold"):
        recording_keys().destroy_key(row.pk)
    assert recording_keys().read(row.pk) == before
    deeds.end_matter(matter.pk, "settled", by=ann)
    # the hold is gone; what two people did not decide is kept all the same (records/destruction)
    with pytest.raises(KeyHeldError, match="nobody decided"):
        recording_keys().destroy_key(row.pk)


def test_no_command_on_the_host_destroys_what_is_held(archive: Archive, row: Recording, ann: User) -> None:
    deeds.hold(deeds.open_matter(facts(), by=ann).pk, row, by=ann)
    key = "from archive.keystore.recording_keys import recording_keys as k"
    deleted = "from archive.recordings.models import Recording as R"
    told = archive.run("shell", "--command", f"{key}; k().destroy_key('{row.pk}')", status=2)
    assert "on hold" in told.stderr
    with pytest.raises(DatabaseError, match="on hold"):
        archive.run("shell", "--command", f"{deleted}; R.objects.all()._raw_delete('default')")
    assert recording_keys().exists(row.pk)
    assert Recording.objects.filter(pk=row.pk).exists()


def test_several_matters_hold_one_recording_until_the_last_one_ends(row: Recording, ann: User) -> None:
    one, other = deeds.open_matter(facts(), by=ann), deeds.open_matter(facts(title="A complaint"), by=ann)
    for matter in (one, other):
        deeds.hold(matter.pk, row, by=ann)
    with pytest.raises(DeedError, match="already"):
        deeds.hold(one.pk, row, by=ann)
    deeds.end_matter(one.pk, "settled", by=ann)
    assert list(matters_of(row.pk)) == [other]
    with pytest.raises(KeyHeldError):
        recording_keys().destroy_key(row.pk)
    held = Held.objects.get(matter=other)
    deeds.release(other.pk, held.pk, "not about it", by=ann)
    assert not matters_of(row.pk).exists()
    assert [entry.code for entry in entries(row.pk) if "hold" in entry.code] == [
        "hold",
        "hold",
        "hold-released",
        "hold-released",
    ]


def test_a_hold_on_a_student_reaches_what_is_filed_later_and_what_was_filed_wrong(row: Recording, ann: User) -> None:
    student = make_student()
    matter = deeds.open_matter(facts(), by=ann)
    deeds.hold(matter.pk, student, by=ann)
    assert not matters_of(row.pk).exists()
    filing = make_filing(row.pk, make_meeting(student), confirmed=False)
    assert list(matters_of(row.pk)) == [matter]
    assert list(recordings_of(matter)) == [row]
    # two persons who end the filing do not end the hold
    now = timezone.now()
    type(filing).objects.update(end_asked_at=now, ended_at=now)
    assert list(matters_of(row.pk)) == [matter]
    assert list(Recording.objects.filter(held_recordings())) == [row]
    with pytest.raises(DatabaseError, match="on hold"), transaction.atomic():
        filing.delete()


def test_what_is_asked_of_some_recordings_is_what_is_known_of_all(row: Recording, sealed: Arrive, ann: User) -> None:
    itself, filed, ended, free = row, *(Recording.objects.get(pk=sealed(seconds=1).id) for _ in range(3))
    student, matter = make_student(), deeds.open_matter(facts(), by=ann)
    make_filing(filed.pk, make_meeting(student))
    for what in (itself, student, ended):
        deeds.hold(matter.pk, what, by=ann)
    deeds.release(matter.pk, Held.objects.get(recording=ended).pk, "over", by=ann)
    assert (held_now(), ever_held()) == ({itself.pk, filed.pk}, {itself.pk, filed.pk, ended.pk})
    for one in (itself, filed, ended, free):
        assert held_now([one.pk]) == held_now() & {one.pk}
        assert ever_held([one.pk]) == ever_held() & {one.pk}
    assert held_now([]) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM holds_held",
        "DELETE FROM holds_matter",
        "UPDATE holds_held SET released_at = CURRENT_TIMESTAMP, release_reason = 'x'",
        "UPDATE holds_matter SET released_at = CURRENT_TIMESTAMP, release_reason = 'x'",
        "UPDATE holds_held SET recording_id = (SELECT max(id) FROM recordings_recording)",
        "DELETE FROM recordings_recording",
    ],
)
def test_the_database_itself_refuses_what_goes_around_the_deeds(
    row: Recording, sealed: Arrive, ann: User, statement: str
) -> None:
    sealed(seconds=1)
    least = Recording.objects.order_by("pk")[0]
    deeds.hold(deeds.open_matter(facts(), by=ann).pk, least, by=ann)
    with pytest.raises(DatabaseError, match="hold"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert matters_of(least.pk).exists()


def test_no_day_that_passes_ends_a_hold(row: Recording, ann: User) -> None:
    past = timezone.localdate() - timedelta(days=400)
    matter = make_matter(valid_from=past, valid_until=past + timedelta(days=30))
    make_hold(matter, recording=row)
    with pytest.raises(KeyHeldError):
        recording_keys().destroy_key(row.pk)
    assert [task.title for task in holds_due(Day.of(ann, timezone.localtime()))] == [
        "Look at a hold again: Torres v. District"
    ]


@pytest.mark.parametrize(
    ("until", "due"), [(None, False), (date(2026, 11, 25), False), (date(2026, 11, 24), True), (date(2020, 1, 1), True)]
)
def test_a_matter_is_looked_at_again_from_its_day_on(until: date | None, due: bool) -> None:
    assert must_be_looked_at(until, date(2026, 11, 24)) is due


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"valid_from": date(2999, 1, 1)}, "valid_from"),
        ({"valid_until": date(2026, 10, 31)}, "valid_until"),
    ],
)
def test_days_that_make_no_sense_are_told_at_their_field(ann: User, other: dict[str, Any], field: str) -> None:
    with pytest.raises(DeedError) as told:
        deeds.open_matter(facts(**other), by=ann)
    assert told.value.field == field
    assert not Matter.objects.exists()


def test_what_ended_is_not_changed_any_more(row: Recording, ann: User) -> None:
    matter = deeds.open_matter(facts(), by=ann)
    deeds.change_matter(matter.pk, facts(owner="Dr. Park"), 0, by=ann)
    with pytest.raises(StaleError):
        deeds.change_matter(matter.pk, facts(), 0, by=ann)
    deeds.end_matter(matter.pk, "settled", by=ann)
    for deed in (
        lambda: deeds.hold(matter.pk, row, by=ann),
        lambda: deeds.end_matter(matter.pk, "again", by=ann),
        lambda: deeds.change_matter(matter.pk, facts(), 2, by=ann),
    ):
        with pytest.raises(DeedError, match="has ended"):
            deed()


def test_the_log_contradicts_a_hold_that_was_taken_away(row: Recording, ann: User) -> None:
    matter = deeds.open_matter(facts(), by=ann)
    deeds.hold(matter.pk, row, by=ann)
    assert check_custody() is None
    assert not [sentence for sentence in contradictions() if "never released" in sentence]
    change_as_owner("UPDATE holds_held SET released_at = CURRENT_TIMESTAMP, release_reason = 'x'")
    assert [sentence for sentence in contradictions() if "never released" in sentence]


def test_the_pages_open_hold_release_and_end(archive: Archive, row: Recording) -> None:
    student = make_student("Ana", "Torres", local_id="S-17")
    make_filing(row.pk, make_meeting(student))
    client = signed_in(archive, "custodian", role="custodian")
    check(client.get("/holds/").content.decode())
    check(client.get("/holds/new/").content.decode())
    typed = {
        "title": "Torres v. District",
        "reason": "a lawsuit",
        "owner": "Counsel",
        "valid_from": "2026-11-01",
        "version": 0,
    }
    assert client.post("/holds/new/", {**typed, "owner": "", "once": "0" * 32}).status_code == 422
    added = client.post("/holds/new/", {**typed, "once": "a" * 32}).headers["Location"]
    matter = Matter.objects.get()
    assert added == f"/holds/{matter.pk}/add/"
    check(client.get(added).content.decode())
    for wrong in ({}, {"recordings": "f" * 32}, {"student": "nobody"}):
        assert client.post(added, {**wrong, "once": "b" * 32}).status_code == 422
    page = check(client.post(added, {"student": "S-17", "once": "c" * 32}, follow=True).content.decode())
    assert "All recordings of Ana Torres" in page.text
    shown = check(client.get(f"/recordings/{row.pk}/").content.decode()).text
    assert "nothing and nobody can destroy it" in shown
    assert "Torres v. District" in shown
    chosen = f"/recordings/{row.pk}/hold/"
    check(client.get(chosen).content.decode())
    client.post(chosen, {"matter": str(matter.pk), "once": "d" * 32})
    assert Held.objects.filter(recording=row).count() == 1
    edited = f"/holds/{matter.pk}/edit/"
    check(client.get(edited).content.decode())
    client.post(edited, {**typed, "valid_until": "2026-11-02", "version": 0, "once": "e" * 32})
    assert "was to be looked at again" in client.get(f"/holds/{matter.pk}/").content.decode()
    gone = f"/holds/{matter.pk}/items/{Held.objects.get(recording=row).pk}/release/"
    check(client.get(gone).content.decode())
    client.post(gone, {"reason": "not about it", "once": "f" * 32})
    assert "not about it" in check(client.get(f"/holds/{matter.pk}/").content.decode()).text
    client.post(f"/holds/{matter.pk}/end/", {"reason": "settled", "once": "1" * 32})
    assert "Ended" in check(client.get("/holds/").content.decode()).text
    assert "On hold" not in client.get(f"/recordings/{row.pk}/").content.decode()


def test_who_may_only_look_learns_that_it_is_held_and_not_why(archive: Archive, row: Recording, ann: User) -> None:
    deeds.hold(deeds.open_matter(facts(), by=ann).pk, row, by=ann)
    page = signed_in(archive, "reader", Deed.LOOK).get(f"/recordings/{row.pk}/").content.decode()
    assert "One matter holds it" in page
    assert "Torres" not in page


def test_nobody_ends_holds_or_reads_matters_beyond_their_reach(
    archive: Archive, row: Recording, sealed: Arrive
) -> None:
    """A court order bars a custodian from one student (34 CFR 99.4); another colleague works with one student alone."""
    ana, zoe = make_student("Ana", "Torres", local_id="S-17"), make_student("Zoe", "Quist", local_id="S-18")
    zoes = sealed(seconds=1).id
    for student, recording in ((ana, row.pk), (zoe, zoes)):
        make_filing(recording, make_meeting(student))
    both, alone, other = (make_matter(f"{title} v. District") for title in ("Torres and Quist", "Torres", "Quist"))
    make_hold(both, student=ana)
    make_hold(both, recording=row)
    of_zoe = make_hold(both, student=zoe)
    make_hold(alone, student=ana)
    make_hold(other, student=zoe)
    carol, near = make_user("carol", role="custodian"), User.objects.create_user("near", "only for tests 2468")
    make_bar(make_person("Carol", "Quist", user=carol), zoe)
    grant_student(near, ana, Deed.HOLD, Deed.LOOK)
    client = archive.client()
    for user in (carol, near):
        client = archive.client()
        client.force_login(user)
        page = check(client.get("/holds/").content.decode())
        shown = {one.get("href") for one in page.all("a")} & {f"/holds/{one.pk}/" for one in (both, alone, other)}
        assert shown == {f"/holds/{one.pk}/" for one in (both, alone)[user == carol :]}
        counted = [one.text for one in page.all("td") if one.get("data-label") == "Recordings"]
        assert set(counted) == {"1"}, "what they reach alone"
        choose = client.get(f"/recordings/{row.pk}/hold/").content.decode()
        assert str(alone.pk) in choose
        assert str(other.pk) not in choose
        assert client.get(f"/holds/{alone.pk}/").status_code == 200
        for way in ("", "edit/", "add/", "end/"):
            assert client.get(f"/holds/{other.pk}/{way}").status_code == 403, way
        refused = client.post(f"/holds/{both.pk}/end/", {"reason": "settled", "once": "a" * 32})
        assert refused.status_code == (403 if user == carol else 422)
        if user == near:
            assert "something that you do not reach" in check(refused.content.decode()).text
            assert "Quist" not in check(client.get(f"/holds/{both.pk}/").content.decode()).text.replace(both.title, "")
        for named in (zoes, "f" * 32):
            answer = client.post(f"/holds/{alone.pk}/add/", {"recordings": named, "once": "b" * 32})
            assert answer.status_code == 422
            assert f"There is no recording “{named}” here." in answer.content.decode()
        chosen = client.post(f"/recordings/{row.pk}/hold/", {"matter": str(other.pk), "once": "c" * 32})
        assert chosen.status_code == 422
    assert Held.objects.filter(released_at=None).count() == 5
    # what one opened oneself and holds nothing yet is reached
    typed = {"title": "New", "reason": "r", "owner": "o", "valid_from": "2026-11-01", "version": 0, "once": "d" * 32}
    assert client.post("/holds/new/", typed, follow=True).status_code == 200
    boss = signed_in(archive, "boss", role="custodian")
    assert boss.post(f"/holds/{both.pk}/end/", {"reason": "settled", "once": "e" * 32}).status_code == 302
    of_zoe.refresh_from_db()
    assert of_zoe.released_at is not None
