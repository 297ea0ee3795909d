"""Recordings that no box made: filed by two, heard by whoever may, held, restricted, and never taken for a box's."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from appliance.contract.outside_package import PIECE
from archive.access.accounts import invite_again
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.destruction.deeds import propose
from archive.records.destruction.models import Basis
from archive.records.disclosures.deeds import enter_recorded
from archive.records.errors import DeedError, SecondPersonError
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.reach import why_held
from archive.records.outside_recordings import filing_deeds, take_in_deeds
from archive.records.outside_recordings.models import OutsideRecording, State
from archive.records.outside_recordings.reach import GivenUpError
from archive.records.outside_recordings.rules import TO_BRING, due_of
from archive.records.outside_recordings.seal_deeds import seal_outside
from archive.records.people.models import Bar
from archive.ui import words
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    NOON,
    grant_student,
    make_account,
    make_bar,
    make_matter,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive

from .files import SAID, brought, sound

FLAC = sound("FLAC")
TYPED = {**{name: str(value) for name, value in vars(SAID).items() if value}, "of_the_district": "on"}


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


@pytest.fixture
def bob(archive: Archive) -> User:
    return make_user("bob", role="custodian")


def of_a_parent(archive: Archive) -> tuple[Any, Any]:
    """A student's meeting, and a client of a parent who may look, listen and take copies of the student's."""
    student, person = make_student(), make_person()
    make_right(person, student)
    user = make_account(person)
    grant_student(user, student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    client = archive.client()
    client.force_login(user)
    return make_meeting(student), client


def codes(pk: str) -> list[str]:
    return [one.code for one in Entry.objects.about(Subject.outside(pk)).order_by("n")]


def test_it_is_brought_by_the_pages(archive: Archive) -> None:
    client = signed_in(archive, "carol", role="custodian")
    check(client.get("/outside-recordings/").content.decode())
    page = check(client.get("/outside-recordings/new/").content.decode())
    assert "never takes one in" in page.text
    for wrong in ({"place": ""}, {"made_on": "2999-01-01"}, {"brought_on": "2001-01-01"}, {"origin": "parent"},
                  {"since": "x" * 5000}, {"of_the_district": ""}, {"made_at": "25:00"}):  # fmt: skip
        answer = client.post("/outside-recordings/new/", {**TYPED, **wrong, "once": "0" * 32})
        assert answer.status_code == 422, wrong
        assert "Kim Vo" in answer.content.decode()
    answer = client.post("/outside-recordings/new/", {**TYPED, "once": "a" * 32})
    place = answer.headers["Location"]
    assert client.post("/outside-recordings/new/", {**TYPED, "once": "a" * 32}).headers["Location"] == place
    check(client.get(place).content.decode())
    row = OutsideRecording.objects.get()
    data = sound("WAV", 80)
    assert client.post(place, {"once": "b" * 32}).status_code == 422
    for at in range(0, len(data), PIECE):
        address = f"/outside-recordings/{row.pk}/pieces.json?at={at}&size={len(data)}"
        answer = client.post(address, data[at : at + PIECE], content_type="application/octet-stream")
        assert answer.json() == {"version": 1, "received": min(at + PIECE, len(data))}
    assert "not sent again" in client.get(place).content.decode()
    page = check(client.post(place, {"once": "c" * 32}, follow=True).content.decode())
    assert "about to be sealed" in page.text
    seal_outside(row.pk)
    page = check(client.get(f"/outside-recordings/{row.pk}/").content.decode())
    assert "no box made it" in page.text
    assert hashlib.sha256(data).hexdigest() in page.text
    assert client.get(place).status_code == 302


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [("at=0", b"x", 400, "bad-format"), ("at=x&size=1", b"x", 400, "bad-format"),
     ("at=0&size=99999999999", b"x" * PIECE, 409, "wrong-piece"), ("at=5&size=9", b"x", 409, "wrong-piece"),
     ("at=0&size=30", b"<html><script>alert(1)</script>"[:30], 415, "not-sound"),
     ("at=0&size=9", b"", 400, "bad-format"), ("at=0&size=2000000", b"x" * (PIECE + 1), 413, "too-large")],
)  # fmt: skip
def test_a_wrong_piece_is_told_by_a_code(archive: Archive, query: str, body: bytes, status: int, code: str) -> None:
    client = signed_in(archive, "carol", role="custodian")
    place = client.post("/outside-recordings/new/", {**TYPED, "once": "a" * 32}).headers["Location"]
    address = f"{place.removesuffix('file/')}pieces.json?{query}"
    answer = client.post(address, body, content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_who_may_file_for_some_students_alone_takes_nothing_in(archive: Archive) -> None:
    user = make_user("teacher")
    grant_student(user, make_student(), Deed.FILE)
    client = archive.client()
    client.force_login(user)
    assert client.get("/outside-recordings/new/").status_code == 403


def test_two_people_file_it_and_then_the_parent_reaches_it(archive: Archive, ann: User, bob: User) -> None:
    row = brought(ann, FLAC)
    meeting, parent = of_a_parent(archive)
    place = f"/outside-recordings/{row.pk}/"
    assert parent.get(place).status_code == 403
    filing = filing_deeds.file_outside(row.pk, meeting, by=ann)
    assert parent.get(place).status_code == 403
    with pytest.raises(SecondPersonError):
        filing_deeds.confirm(row.pk, filing.pk, by=ann)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE outside_recordings_outsidefiling SET confirmed_by_id = filed_by_id")
    with pytest.raises(DeedError, match="filed already"):
        filing_deeds.file_outside(row.pk, make_meeting(), by=bob)
    filing_deeds.confirm(row.pk, filing.pk, by=bob)
    page = check(parent.get(place).content.decode())
    assert "/outside-recordings/" not in [one.get("href") for one in page.all("a")], "the list is refused to a parent"
    (player,) = page.all("audio")
    assert parent.get(player.get("src")).status_code == 200
    assert "no box made it" in parent.get("/own/").content.decode()
    filing_deeds.end_filing(row.pk, filing.pk, "another meeting", by=ann)
    assert parent.get(place).status_code == 403
    assert "no box made it" not in parent.get("/own/").content.decode()


def test_it_plays_as_what_it_is_and_each_listen_is_an_entry(archive: Archive, ann: User) -> None:
    row = brought(ann, FLAC)
    client = signed_in(archive, "carol", role="custodian")
    (player,) = check(client.get(f"/outside-recordings/{row.pk}/").content.decode()).all("audio")
    answer = client.get(player.get("src"), headers={"Range": "bytes=10-19"})
    assert (answer.status_code, b"".join(answer)) == (206, FLAC[10:20])
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"".join(client.get(player.get("src"))) == FLAC
    assert codes(row.pk).count("listen") == 1
    assert b"".join(client.get(f"/outside-recordings/{row.pk}/audio/")) == FLAC
    assert codes(row.pk).count("listen") == 2
    answer = client.get(f"/outside-recordings/{row.pk}/download/")
    assert b"".join(answer) == FLAC
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{row.pk}-not-made-by-a-box.flac"'
    assert codes(row.pk).count("download-outside") == 1


def test_it_is_told_of_in_no_list_of_box_recordings_and_nowhere_called_intact(
    archive: Archive, ann: User, sealed: Arrive
) -> None:
    row, box = brought(ann, FLAC), sealed(seconds=2)
    client = signed_in(archive, "carol", role="custodian")
    assert row.pk not in client.get("/recordings/").content.decode()
    assert client.get(f"/recordings/{row.pk}/").status_code == 404
    listed = client.get("/outside-recordings/").content.decode()
    assert row.pk in listed
    assert box.id not in listed
    assert not Recording.objects.filter(pk=row.pk).exists()
    page = check(client.get(f"/outside-recordings/{row.pk}/").content.decode()).text.lower()
    assert "intact" not in page
    assert "verified" not in page


def test_the_same_file_twice_is_told_on_both_pages(archive: Archive, ann: User) -> None:
    first, second = brought(ann, FLAC), brought(ann, FLAC, place="The same, brought again")
    client = signed_in(archive, "carol", role="custodian")
    for one, other in ((first, second), (second, first)):
        text = client.get(f"/outside-recordings/{one.pk}/").content.decode()
        assert "is here twice" in text
        assert other.pk in text


def test_a_hold_keeps_it_itself_and_through_its_student(archive: Archive, ann: User, bob: User) -> None:
    row, other = brought(ann, FLAC), brought(ann, sound("WAV"))
    matter = make_matter()
    hold_deeds.hold(matter.pk, row, by=ann)
    with pytest.raises(DeedError, match="already"):
        hold_deeds.hold(matter.pk, row, by=ann)
    assert why_held(row.pk)
    meeting = make_meeting()
    filing_deeds.file_outside(other.pk, meeting, by=ann)
    assert not why_held(other.pk)
    hold_deeds.hold(matter.pk, meeting.student, by=ann)
    assert why_held(other.pk)
    client = signed_in(archive, "carol", role="custodian")
    page = check(client.get(f"/holds/{matter.pk}/").content.decode())
    assert {f"/outside-recordings/{one.pk}/" for one in (row, other)} <= {one.get("href") for one in page.all("a")}
    check(client.get(f"/outside-recordings/{row.pk}/hold/").content.decode())
    answer = client.post(
        f"/holds/{matter.pk}/add/", {"student": "", "recordings": other.pk, "once": "d" * 32}, follow=True
    )
    assert "It is on hold" in answer.content.decode()


def test_a_restricted_one_is_heard_by_who_decides_and_a_second_person_opens_it(
    archive: Archive, ann: User, bob: User
) -> None:
    row = brought(ann, FLAC)
    teacher = signed_in(archive, "teacher", Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    made = filing_deeds.restrict(row.pk, "staff talked on", by=ann)
    page = teacher.get(f"/outside-recordings/{row.pk}/").content.decode()
    assert "Fewer people may hear" in page
    assert "<audio" not in page
    assert "staff talked on" not in page
    for way in ("audio", "download"):
        assert teacher.get(f"/outside-recordings/{row.pk}/{way}/").status_code == 403
    assert codes(row.pk).count("refusal") == 2
    director = archive.client()
    director.force_login(bob)
    assert director.get(f"/outside-recordings/{row.pk}/audio/").status_code == 200
    with pytest.raises(SecondPersonError):
        filing_deeds.lift(row.pk, made.pk, "x", by=ann)
    filing_deeds.lift(row.pk, made.pk, "nothing in it", by=bob)
    assert teacher.get(f"/outside-recordings/{row.pk}/audio/").status_code == 200


def test_who_may_be_in_the_hands_of_the_first_person_neither_confirms_nor_opens(
    archive: Archive, ann: User, bob: User
) -> None:
    row = brought(ann, FLAC)
    meeting, _ = of_a_parent(archive)
    filing = filing_deeds.file_outside(row.pk, meeting, by=ann)
    restricted = filing_deeds.restrict(row.pk, "staff talked on", by=ann)
    invite_again(bob, by=ann)
    with pytest.raises(SecondPersonError, match="two people"):
        filing_deeds.confirm(row.pk, filing.pk, by=bob)
    with pytest.raises(SecondPersonError, match="two people"):
        filing_deeds.lift(row.pk, restricted.pk, "x", by=bob)
    client = archive.client()
    client.force_login(bob)
    page = check(client.get(f"/outside-recordings/{row.pk}/").content.decode())
    assert "cannot tell that you are two people" in page.text
    assert not [one for one in page.all("a") if str(one.get("href")).endswith("/confirm/")], "it leads to no refusal"


def test_a_barred_parent_reaches_nothing_of_it(archive: Archive, ann: User, bob: User) -> None:
    row = brought(ann, FLAC)
    meeting, parent = of_a_parent(archive)
    filing_deeds.confirm(row.pk, filing_deeds.file_outside(row.pk, meeting, by=ann).pk, by=bob)
    user = User.objects.get(username__startswith="user")
    make_bar(user.person, meeting.student)
    assert Bar.objects.exists()
    assert may(user, Deed.LISTEN, Subject.outside(row.pk)).reason == "barred"
    for way in ("", "audio/", "download/"):
        assert parent.get(f"/outside-recordings/{row.pk}/{way}").status_code == 403


def test_before_the_seal_nothing_is_heard_filed_or_restricted(archive: Archive, ann: User) -> None:
    client = signed_in(archive, "carol", role="custodian")
    place = client.post("/outside-recordings/new/", {**TYPED, "once": "a" * 32}).headers["Location"]
    pk = place.split("/")[2]
    for way in ("audio", "download"):
        assert client.get(f"/outside-recordings/{pk}/{way}/").status_code == 404
    with pytest.raises(DeedError, match="not sealed"):
        filing_deeds.file_outside(pk, make_meeting(), by=ann)
    with pytest.raises(DeedError, match="not sealed"):
        filing_deeds.restrict(pk, "x", by=ann)


def test_the_pages_file_confirm_doubt_restrict_and_give_up(archive: Archive) -> None:
    carol, dave = (signed_in(archive, name, role="custodian") for name in ("carol", "dave"))
    row = brought(User.objects.get(username="carol"), FLAC)
    place = f"/outside-recordings/{row.pk}/"
    near, far = make_meeting(), make_meeting(make_student("Far", "Away"), NOON - timedelta(days=9))
    page = check(carol.get(f"{place}meeting/").content.decode())
    assert "Far Away" not in page.text
    assert carol.post(f"{place}meeting/", {"meeting": far.pk, "once": "0" * 32}).status_code == 422
    carol.post(f"{place}meeting/", {"meeting": near.pk, "once": "1" * 32})
    (confirm,) = [one.get("href") for one in check(dave.get(place).content.decode()).all("a")
                  if one.get("href").endswith("/confirm/")]  # fmt: skip
    assert carol.post(confirm, {"once": "2" * 32}).status_code == 422
    check(dave.get(confirm).content.decode())
    assert "was confirmed" in dave.post(confirm, {"once": "3" * 32}, follow=True).content.decode()
    assert "no box made it" in carol.get(f"/meetings/{near.pk}/").content.decode()
    wrong = confirm.replace("confirm", "wrong")
    assert carol.post(wrong, {"once": "4" * 32}).status_code == 422
    assert "ended" in carol.post(wrong, {"reason": "x", "once": "5" * 32}, follow=True).content.decode()
    assert carol.get(wrong).status_code == 404
    assert (
        "is restricted"
        in carol.post(f"{place}restrict/", {"reason": "x", "once": "6" * 32}, follow=True).content.decode()
    )
    (lift,) = [one.get("href") for one in check(dave.get(place).content.decode()).all("a")
               if one.get("href").endswith("/lift/")]  # fmt: skip
    assert carol.post(lift, {"reason": "x", "once": "7" * 32}).status_code == 422
    assert "open again" in dave.post(lift, {"reason": "x", "once": "8" * 32}, follow=True).content.decode()
    half = (
        carol.post("/outside-recordings/new/", {**TYPED, "once": "9" * 32})
        .headers["Location"]
        .replace("file", "give-up")
    )
    check(carol.get(half).content.decode())
    assert "Nothing of it is kept" in carol.post(half, {"once": "e" * 32}, follow=True).content.decode()
    assert OutsideRecording.objects.filter(state=State.GIVEN_UP).count() == 1


def test_a_file_that_nobody_brings_is_a_dated_task_until_it_is_given_up(archive: Archive, ann: User) -> None:
    client = signed_in(archive, "carol", role="custodian")
    row = take_in_deeds.begin(SAID, by=ann)
    due = words.day(timezone.localdate(row.begun_at) + TO_BRING)
    listed = check(client.get("/today/").content.decode()).text
    assert f"due {due}" in listed
    assert f"was due {due}" not in listed
    OutsideRecording.objects.filter(pk=row.pk).update(begun_at=timezone.now() - timedelta(days=900))
    assert "was due" in check(client.get("/today/").content.decode()).text
    row.refresh_from_db()
    assert row.made_by == SAID.made_by, "no clock removes anything"
    assert client.post(f"/outside-recordings/{row.pk}/give-up/", {"once": "a" * 32}).status_code == 302
    row.refresh_from_db()
    assert [getattr(row, name) for name in take_in_deeds.NAMING] == [""] * len(take_in_deeds.NAMING)
    assert "was due" not in client.get("/today/").content.decode()


@pytest.mark.parametrize("begun", [0, 13, 14])
def test_it_is_late_after_its_day_and_not_on_it(begun: int) -> None:
    today = NOON.date()
    assert not due_of(today - timedelta(days=begun), today).late
    assert due_of(today - TO_BRING - timedelta(days=1), today).late


def test_what_was_given_up_is_held_filed_disclosed_and_destroyed_by_nobody(archive: Archive, ann: User) -> None:
    row, meeting = take_in_deeds.begin(SAID, by=ann), make_meeting(make_student())
    take_in_deeds.give_up(row.pk, by=ann)
    row.refresh_from_db()
    matter = make_matter()
    for deed in (
        lambda: hold_deeds.hold(matter.pk, row, by=ann),
        lambda: filing_deeds.file_outside(row.pk, meeting, by=ann),
        lambda: filing_deeds.restrict(row.pk, "x", by=ann),
        lambda: enter_recorded(row.pk, "Kim Vo", None, "", by=ann),
        lambda: propose(row.pk, Basis.PERIOD, "", by=ann),
    ):
        with pytest.raises(GivenUpError, match="given up before it was sealed"):
            deed()
    client = signed_in(archive, "carol", role="custodian")
    for page in ("hold", "disclose", "consents/new", "recorded", "destroy", "evidence", "audio"):
        answer = client.get(f"/outside-recordings/{row.pk}/{page}/")
        assert answer.status_code == 409, page
        assert "given up" in answer.content.decode(), page
    typed = {"recordings": row.pk, "student": "", "once": "a" * 32}
    answer = client.post(f"/holds/{matter.pk}/add/", typed)
    assert (answer.status_code, matter.items.count()) == (422, 0)
    assert "given up before it was sealed" in check(answer.content.decode()).text
