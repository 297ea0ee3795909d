"""What parents answered to the letter stands: an objection, a late answer, and none that nobody could give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from archive.records.destruction import deeds
from archive.records.destruction.models import Basis, Destruction, Reply, State
from archive.records.errors import DeedError
from archive.records.letters.deeds import note_delivery
from archive.records.retention.models import Answer
from tests.archive.page_fixtures import entries
from tests.archive.records.factories import (
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import change_as_owner, without_triggers

from .scene import Scene, gone, untouched


@pytest.mark.parametrize("reply", [Reply.OBJECTS, Reply.WANTS_COPY])
def test_a_parents_answer_stands_against_it(scene: Scene, reply: Reply) -> None:
    made = scene.told(scene.propose(), reply)
    with pytest.raises(DeedError, match="does not agree"):
        deeds.approve(made.pk, by=scene.bob)


def test_the_45_days_of_a_letter_cannot_be_typed_away(scene: Scene) -> None:
    made = scene.propose()
    told = deeds.tell(made.pk, scene.student, scene.parent, "en", by=scene.ann)
    assert told.letter is not None
    with pytest.raises(DeedError, match="on no day before") as refused:
        note_delivery(told.letter.pk, "by mail", timezone.now() - timedelta(days=46), by=scene.ann)
    assert refused.value.field == "day"
    note_delivery(told.letter.pk, "by mail", timezone.now(), by=scene.ann)
    deeds.enter_reply(made.pk, told.pk, Reply.SILENT, timezone.localdate(), "", by=scene.ann)
    with pytest.raises(DeedError, match="not waited 45 days"):
        deeds.approve(made.pk, by=scene.bob)


def test_an_answer_that_came_late_stops_it(scene: Scene) -> None:
    made = scene.approved()
    told = made.told.get()
    deeds.enter_reply(made.pk, told.pk, Reply.OBJECTS, timezone.localdate(), "No!", by=scene.ann)
    with pytest.raises(DeedError, match="does not agree"):
        deeds.carry_out(made.pk, by=scene.bob)
    assert untouched(scene.row)


def test_no_objection_is_typed_over_without_a_trace(scene: Scene) -> None:
    """A parent's answer (34 CFR 300.624): one person replaces it, and neither hides it nor goes on alone."""
    made, today = scene.approved(), timezone.localdate()
    told = made.told.get()
    deeds.enter_reply(made.pk, told.pk, Reply.OBJECTS, today, "No!", by=scene.ann)
    with pytest.raises(DeedError, match="so there is one") as refused:
        deeds.enter_reply(made.pk, told.pk, Reply.SILENT, today, "", by=scene.ann)
    assert refused.value.field == "reply"
    deeds.enter_reply(made.pk, told.pk, Reply.AGREES, today, "Yes, after all.", by=scene.ann)
    # the approval of before was of other answers
    with pytest.raises(DeedError, match="second person"):
        deeds.carry_out(made.pk, by=scene.ann)
    assert (Destruction.objects.get().state, Destruction.objects.get().approved_by) == (State.PROPOSED, None)
    said = [(one.reply, one.remark) for one in told.earlier.all()]
    assert said == [("agrees", "as Rosa said"), ("objects", "No!")]
    replies = [entry for entry in entries(scene.row.pk) if entry.code == "destruction-reply"]
    assert [(one.member("reply"), one.member("told")) for one in replies] == [
        ("agrees", str(told.pk)),
        ("objects", str(told.pk)),
        ("agrees", str(told.pk)),
    ]
    assert [one.code for one in entries(scene.row.pk)].count("destruction-overtaken") == 1
    deeds.approve(made.pk, by=scene.bob)
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    deeds.carry_out(made.pk, by=scene.bob)
    assert {one.remark for one in told.earlier.all()} == {""}, "a tombstone holds nobody's words"
    assert gone(scene.row)


def test_nobody_agrees_before_the_letter_came(scene: Scene) -> None:
    made, today = scene.propose(), timezone.localdate()
    told = deeds.tell(made.pk, scene.student, scene.parent, "en", by=scene.ann)
    assert told.letter is not None
    with pytest.raises(DeedError, match="not delivered yet"):
        deeds.enter_reply(made.pk, told.pk, Reply.AGREES, today, "", by=scene.ann)
    note_delivery(told.letter.pk, "by hand", timezone.now(), by=scene.ann)
    with pytest.raises(DeedError, match="not delivered yet") as refused:
        deeds.enter_reply(made.pk, told.pk, Reply.HAS_COPY, today - timedelta(days=1), "", by=scene.ann)
    assert refused.value.field == "replied_on"
    # a parent who heard of it otherwise may object at any time
    deeds.enter_reply(made.pk, told.pk, Reply.OBJECTS, today - timedelta(days=1), "", by=scene.ann)


def test_one_students_parent_does_not_ask_for_another_students_record(scene: Scene) -> None:
    """34 CFR 300.624(b): a meeting of two students; the second one's parent gave no answer."""
    ben, kim = make_student("Ben", "Vo"), make_person("Kim", "Vo")
    make_right(kim, ben)
    make_filing(scene.row.pk, make_meeting(ben))
    change_as_owner("UPDATE retention_answer SET years = 50")
    with without_triggers():
        Answer.objects.update(on_request=True)
    made = scene.told(deeds.propose(scene.row.pk, Basis.REQUEST, "asked", asked_by=scene.parent, by=scene.ann))
    Scene(scene.row, scene.ann, scene.bob, ben, kim).told(made, Reply.SILENT)
    with pytest.raises(DeedError, match="Of each of its students"):
        deeds.approve(made.pk, by=scene.bob)
    deeds.enter_reply(made.pk, made.told.get(person=kim).pk, Reply.AGREES, timezone.localdate(), "", by=scene.ann)
    deeds.approve(made.pk, by=scene.bob)
