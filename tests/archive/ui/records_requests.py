"""Requests of parents, amendments, access, and what parents see."""

from __future__ import annotations

from datetime import timedelta

from archive.access.deeds import Deed
from archive.records.requests.link_deeds import make_link
from archive.records.requests.models import Amendment, AmendmentState, Statement, SupervisedListening
from tests.archive.records.factories import (
    grant_student,
    make_person,
    make_request,
)
from tests.archive.ui.records_scene import Scene


def fill_requests(s: Scene) -> dict[str, str]:
    """Make one of each; return each page's address by its name."""
    case = make_request(s.student, s.parent, text="The last two meetings.", explanation_asked=True, logged_by=s.viewer)
    late = make_request(s.adult, make_person("Mo", "Lee"), received_on=s.now.date() - timedelta(days=60))
    link = make_link(s.parent, by=s.colleague, request=case)
    s.parent.refresh_from_db()
    assert s.parent.user is not None
    grant_student(s.parent.user, s.student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    amendment = Amendment.objects.create(
        student=s.student,
        person=s.parent,
        recording=s.first,
        received_on=s.now.date(),
        text="The date that was said is wrong.",
    )
    heard = Amendment.objects.create(
        student=s.student,
        person=s.parent,
        recording=s.first,
        received_on=s.now.date(),
        text="A name was misheard.",
        state=AmendmentState.HEARING_REFUSED,
        decided_at=s.now,
        decision="It is what was said.",
        hearing_on=s.now.date(),
        hearing_officer="A. Ruiz",
        hearing_outcome="The record stays.",
    )
    refused = Amendment.objects.create(
        student=s.student,
        person=s.parent,
        recording=s.first,
        received_on=s.now.date(),
        text="The end is missing.",
        state=AmendmentState.REFUSED,
        decided_at=s.now,
        decision="It ended then.",
        hearing_days=30,
    )
    over = Amendment.objects.create(
        student=s.student,
        person=s.parent,
        recording=s.first,
        received_on=s.now.date(),
        text="It was said more than once.",
        state=AmendmentState.NO_HEARING,
        decided_at=s.now,
        decision="It was said once.",
        hearing_days=30,
        no_hearing="said",
        no_hearing_on=s.now.date(),
        no_hearing_how="Rosa Torres said so to M. Jones on the phone.",
    )
    Statement.objects.create(amendment=heard, recording=s.first, text="I said March, not May.", placed_at=s.now)
    beside = SupervisedListening.objects.create(request=case, recording=s.first, began_at=s.now, by=s.viewer)
    return {
        "own-slip": f"/recordings/{s.first.pk}/slip/",
        "asked": "/requests/asked/",
        "requests": "/requests/",
        "request": f"/requests/{case.pk}/",
        "request-late": f"/requests/{late.pk}/",
        "request-explain": f"/requests/{case.pk}/explain/",
        "request-close": f"/requests/{case.pk}/answer/",
        "request-open": f"/requests/{case.pk}/open/",
        "request-letter": f"/requests/{case.pk}/letter/",
        "link-withdraw": f"/requests/{case.pk}/links/{link.row.pk}/withdraw/",
        "supervised": f"/requests/{case.pk}/listen/{s.first.pk}/",
        "listening": f"/requests/{case.pk}/listen/{s.first.pk}/{beside.pk}/",
        "access-record": f"/students/{s.student.pk}/record-of-access/",
        "amendment": f"/amendments/{amendment.pk}/",
        "amendment-refused": f"/amendments/{refused.pk}/",
        "amendment-over": f"/amendments/{over.pk}/",
        "amendment-no-hearing": f"/amendments/{refused.pk}/no-hearing/",
        "amendment-heard": f"/amendments/{heard.pk}/",
        "amendment-step": f"/amendments/{amendment.pk}/step/",
        "statement": f"/amendments/{heard.pk}/statement/",
        "access": "/access/",
        "access-review": "/access/review/",
        "access-end": f"/access/students/{s.student.pk}/accounts/{s.parent.user.pk}/end/",
        "kiosk": "/kiosk/",
        "kiosk-start": "/kiosk/start/",
        "own": "/own/",
        "own-record": f"/own/{s.student.pk}/record-of-access/",
        "own-recording": f"/recordings/{s.first.pk}/",
        "own-transcript": f"/recordings/{s.first.pk}/transcript/",
        "own-refused": "/students/",
    }
