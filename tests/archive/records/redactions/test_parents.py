"""What parents hear where copies were redacted for them: after a withdrawal, and of two children in one recording."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from archive.access.accounts import invite_again
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.parts import audible
from archive.records.errors import DeedError, SecondPersonError
from archive.records.people.models import Student
from archive.records.redactions import deeds
from archive.records.redactions.models import Redaction
from tests.archive.page_fixtures import RATE, entries, make_user
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_filing,
    make_meeting,
    make_right,
    make_student,
)

from .scene import Scene, passage


@pytest.fixture
def rosa(scene: Scene) -> User:
    """A parent of Ana's."""
    user = make_account(scene.parent)
    grant_student(user, scene.student, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    return user


@pytest.fixture
def ben(scene: Scene, rosa: User) -> Student:
    """Ana's brother, whose meeting is the second half of the recording."""
    found = make_student("Ben", "Torres")
    make_right(scene.parent, found)
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(found), first_frame=2 * RATE)
    grant_student(rosa, found, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    return found


def hears(user: User, scene: Scene) -> list[tuple[int, int]] | None:
    """Return what somebody hears, in seconds; what touches is one."""
    parts = audible(user, Deed.LISTEN, scene.row.pk)
    if parts is None:
        return None
    found: list[tuple[int, int]] = []
    for one in sorted(parts, key=lambda part: part.first):
        first, last = one.first // RATE, (scene.row.frames if one.last is None else one.last) // RATE
        if found and found[-1][1] == first:
            first = found.pop()[0]
        found.append((first, last))
    return found


# 34 CFR 99.12(a), 300.615: a parent inspects what is about the own child, and nothing about another one


def test_one_person_alone_lets_no_parent_hear_again_what_two_left_out(scene: Scene, rosa: User) -> None:
    made = scene.signed(student=scene.student)
    client = scene.client(scene.ann)
    there = scene.address(made)
    assert "go on hearing silence" in check(client.get(f"{there}withdraw/").content.decode()).text
    deeds.withdraw(scene.row.pk, made.pk, "a name is left in it", by=scene.ann)
    assert hears(rosa, scene) == [(0, 1), (2, 4)]
    assert "go on hearing silence" in check(client.get(there).content.decode()).text
    assert made.purpose in check(client.get("/redactions/").content.decode()).text
    answer = client.post(f"{there}lift/", {"once": "a" * 32})
    assert answer.status_code == 422
    assert "You withdrew this copy yourself" in answer.content.decode()
    assert hears(rosa, scene) == [(0, 1), (2, 4)]
    assert scene.client(scene.bob).post(f"{there}lift/", {"once": "b" * 32}).status_code == 302
    assert hears(rosa, scene) is None
    (entry,) = entries(scene.row.pk, "redaction-lifted")
    assert (entry.member("redaction"), entry.actor_id) == (made.pk.hex, str(scene.bob.pk))
    assert "go on hearing silence" not in check(client.get(there).content.decode()).text
    with pytest.raises(DeedError, match="No parents hear silence"):
        deeds.lift(scene.row.pk, made.pk, by=scene.bob)


def test_a_later_copy_for_the_same_student_takes_the_place_of_one_that_was_withdrawn(scene: Scene, rosa: User) -> None:
    made = scene.signed(student=scene.student)
    deeds.withdraw(scene.row.pk, made.pk, "it leaves out too much", by=scene.ann)
    waits = scene.made(passage(0, RATE), student=scene.student)
    assert hears(rosa, scene) == [(0, 1), (2, 4)], "what nobody signed off replaces nothing"
    scene.hear(waits, scene.bob)
    deeds.sign_off(scene.row.pk, waits.pk, by=scene.bob)
    assert hears(rosa, scene) == [(1, 4)]
    with pytest.raises(DeedError, match="No parents hear silence"):
        deeds.lift(scene.row.pk, made.pk, by=scene.bob)


@pytest.mark.parametrize("state", ["draft", "made", "signed"])
def test_only_what_was_signed_off_and_withdrawn_is_lifted(scene: Scene, state: str) -> None:
    made = {"draft": scene.begun, "made": scene.made, "signed": scene.signed}[state](student=scene.student)
    with pytest.raises(DeedError):
        deeds.lift(scene.row.pk, made.pk, by=make_user("carol", Deed.REDACT))
    if state != "signed":
        deeds.withdraw(scene.row.pk, made.pk, "x", by=scene.ann)
        with pytest.raises(DeedError, match="No parents hear silence"):
            deeds.lift(scene.row.pk, made.pk, by=scene.bob)


def test_the_database_lets_nobody_lift_what_the_same_person_withdrew(scene: Scene) -> None:
    made = scene.signed(student=scene.student)
    deeds.withdraw(scene.row.pk, made.pk, "x", by=scene.ann)
    with pytest.raises(SecondPersonError):
        deeds.lift(scene.row.pk, made.pk, by=scene.ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Redaction.objects.filter(pk=made.pk).update(lifted_by=scene.ann)


def test_an_account_whose_link_was_given_out_by_who_withdrew_it_lifts_nothing(scene: Scene) -> None:
    made = scene.signed(student=scene.student)
    deeds.withdraw(scene.row.pk, made.pk, "x", by=scene.ann)
    invite_again(scene.bob, by=scene.ann)
    with pytest.raises(SecondPersonError, match="two people"):
        deeds.lift(scene.row.pk, made.pk, by=scene.bob)


def test_a_parent_of_two_children_hears_the_part_about_each(scene: Scene, rosa: User, ben: Student) -> None:
    assert hears(rosa, scene) == [(0, 4)]
    scene.signed(passage(0, RATE), student=scene.student)
    assert hears(rosa, scene) == [(1, 4)], "what is Ben's in it is about the own child too"
    scene.signed(passage(3 * RATE, None), student=ben)
    assert hears(rosa, scene) == [(1, 3)]
    page = check(scene.client(rosa).get(f"/recordings/{scene.row.pk}/").content.decode()).text
    assert "left this passage out" in page


def test_what_was_cut_out_of_one_child_s_part_is_not_heard_through_a_sibling_of_whom_nobody_decided(
    scene: Scene, rosa: User
) -> None:
    ben = make_student("Ben", "Torres")
    make_filing(scene.row.pk, make_meeting(ben))
    grant_student(rosa, ben, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    scene.signed(student=scene.student)
    assert hears(rosa, scene) == [(0, 1), (2, 4)]
    scene.signed(passage(3 * RATE, None), student=ben)
    assert hears(rosa, scene) == [(0, 4)], "two copies leave each of the seconds in for one of them"


def test_another_parent_of_one_of_them_hears_that_one_s_part_alone(scene: Scene, rosa: User, ben: Student) -> None:
    scene.signed(passage(0, RATE), student=scene.student)
    aunt = make_user("aunt")
    grant_student(aunt, scene.student, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    assert hears(aunt, scene) == [(1, 2)]
    other = make_user("other")
    grant_student(other, ben, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    assert hears(other, scene) == [(2, 4)]


def test_staff_of_the_district_who_are_parents_hear_what_is_about_others_as_staff(scene: Scene, ben: Student) -> None:
    scene.signed(passage(0, RATE), student=scene.student)
    both = make_user("both", Deed.LISTEN)
    grant_student(both, scene.student, Deed.OWN)
    assert hears(both, scene) == [(1, 4)]
