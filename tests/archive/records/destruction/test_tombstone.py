"""What the log goes on saying of a destroyed recording leads to no row that leads to a person (34 CFR 300.611(a))."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.destruction import deeds
from archive.records.destruction.models import Basis as Why
from archive.records.destruction.models import Destruction, EarlierReply, Reply, Told
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures import notice_deeds
from archive.records.disclosures.models import Basis, Copy
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.models import Matter
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import LetterKind, Template
from archive.records.meetings.deeds import NoticeFacts, log_notice
from archive.records.outside_recordings.either import Either
from archive.records.people.models import Person, Student
from archive.records.requests import amendment_deeds
from archive.records.requests import deeds as request_deeds
from archive.records.requests.models import Amendment, AmendmentState, NoHearing, Statement, Wish
from tests.archive.page_fixtures import Arrive
from tests.archive.records.disclosures.scene import consent, facts
from tests.archive.records.factories import make_letter, make_matter, make_room
from tests.support.archives import Archive

from .scene import Scene, make_outside_scene, make_scene

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_SHARED = ("accounts.User", "rooms.Room", "letters.Template")
"""What many entries name that have nothing to do with each other."""


def ids(text: str) -> set[str]:
    return {one.replace("-", "") for one in _ID.findall(text)}


def reached_from(recording: str) -> set[str]:
    """Every identifier that the log leads to from a recording, over as many entries as it takes."""
    shared = {uuid.UUID(str(pk)).hex for label in _SHARED for pk in _pks(apps.get_model(label))}
    named = [ids(f"{one.subject_id} {json.dumps(str(one.detail))}") - shared for one in Entry.objects.all()]
    found, before = {recording}, set[str]()
    while found != before:
        before = set(found)
        for one in named:
            if one & found:
                found |= one
    return found


def _pks(model: type[Model]) -> list[str]:
    return [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]


def leads_to_people(found: set[str]) -> list[str]:
    """The rows among them that are a person or a student, or name one, or a matter that people gave a title."""
    told = []
    for model in apps.get_models():
        fields = [one for one in model._meta.concrete_fields if one.related_model in {Student, Person}]
        if not fields and model not in {Student, Person, Matter}:
            continue
        for row in model._default_manager.all():
            names_one = not fields or any(getattr(row, one.attname) is not None for one in fields)
            if names_one and ids(str(row.pk)) & found:
                told.append(f"{model._meta.label} {row.pk}")
    return told


def lived_through(scene: Scene) -> None:
    """Let everything happen to a recording that has an entry, and end."""
    today, row = timezone.localdate(), scene.row
    meeting = row.filings.get().meeting
    for text in Template.objects.filter(kind=LetterKind.SUBPOENA):
        approve_text(text.pk, by=scene.ann)
    log_notice(NoticeFacts(scene.student, meeting.starts_at, meeting.starts_at, room=make_room()), by=scene.ann)
    matters = make_matter("Torres v. District"), make_matter("Lee v. District")
    for matter in matters:
        hold_deeds.hold(matter.pk, row, by=scene.ann)
        hold_deeds.hold(matter.pk, scene.student, by=scene.ann)
        hold_deeds.end_matter(matter.pk, "settled", by=scene.ann)
    if isinstance(row, Recording):
        listened(scene, row, today)
    asked_to_amend(scene, row, today)
    disclosure_deeds.enter_consent(row.pk, consent(row), by=scene.ann)
    what = Copy.AUDIO if isinstance(row, Recording) else Copy.FILE
    order = facts(what=what, basis=Basis.COMPELLED, explanation="Circuit Court, no. 17")
    disclosure = disclosure_deeds.prepare(row.pk, order, by=scene.ann)
    later = today + timedelta(days=9)
    notice_deeds.write_notice(disclosure.pk, scene.parent, "en", later, by=scene.ann)
    notice_deeds.enter_notice(disclosure.pk, notice_deeds.Notice(scene.student, today, later), by=scene.ann)
    disclosure_deeds.withdraw(disclosure.pk, by=scene.ann)
    asked = deeds.propose(row.pk, Why.REQUEST, "Rosa Torres asked for it", asked_by=scene.parent, by=scene.ann)
    scene.told(asked, Reply.WANTS_COPY)
    scene.told_again(asked, Reply.OBJECTS)
    deeds.withdraw(asked.pk, "Rosa Torres took it back", by=scene.ann)


def listened(scene: Scene, row: Recording, today: date) -> None:
    """Let a parent listen at the office: to a box's recording alone."""
    case = request_deeds.ask_access(scene.student, scene.parent, Wish.LISTEN, received_on=today, by=scene.ann)
    request_deeds.begin_supervised(case.pk, row, by=scene.ann)
    request_deeds.close(case.pk, "listened", case.version, by=scene.ann)


def asked_to_amend(scene: Scene, row: Either, today: date) -> None:
    """Let a parent ask for an amendment that is refused, want no hearing, and place a statement."""
    amendment = amendment_deeds.ask_amendment(
        scene.student, scene.parent, row, text="It leaves out the end.", received_on=today, by=scene.ann
    )
    amendment_deeds.decide(amendment.pk, AmendmentState.REFUSED, "it is whole", 0, by=scene.ann, hearing_days=9)
    about = {"about_type": "case", "about_id": str(amendment.pk)}
    make_letter(scene.student, LetterKind.REFUSAL_TO_AMEND, person=scene.parent, delivered_at=timezone.now(), **about)
    amendment_deeds.end_unheard(amendment.pk, NoHearing.SAID, today, "on the phone", 1, by=scene.ann)
    amendment_deeds.place_statement(amendment.pk, "The end is missing.", by=scene.ann)


@pytest.mark.parametrize("made_by_a_box", [True, False])
def test_no_identifier_in_the_log_leads_from_a_tombstone_to_a_person(
    archive: Archive, sealed: Arrive, made_by_a_box: bool
) -> None:
    scene = make_scene(sealed(seconds=1).id) if made_by_a_box else make_outside_scene()
    lived_through(scene)
    made = scene.approved()
    assert leads_to_people(reached_from(scene.row.pk)), "as long as it is kept, its rows say whose record it is"
    deeds.carry_out(made.pk, by=scene.bob)
    assert not Amendment.objects.exists()
    assert not Statement.objects.exists()
    assert leads_to_people(reached_from(scene.row.pk)) == []
    left = [*Destruction.objects.values(), *Told.objects.values(), *EarlierReply.objects.values()]
    assert "Rosa" not in str(left), "nor does what was proposed before and withdrawn"
