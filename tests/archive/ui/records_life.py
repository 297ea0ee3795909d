"""The life of a record: transcripts, redacted copies, holds, retention, disclosure, destruction."""

from __future__ import annotations

from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.destruction.models import Destruction, Told
from archive.records.disclosures.models import Consent, Disclosure, Recorded
from archive.records.people.models import Student
from archive.records.redactions import deeds as redaction_deeds
from archive.records.redactions.custody_kinds import SIGNED
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Basis, Passage, Redaction
from archive.records.redactions.sound import How
from archive.records.restrictions.models import Restriction
from archive.records.retention.models import Answer, Series
from archive.records.transcripts.deeds import Facts, answer, bring, recipient_of, set_aside
from archive.records.transcripts.models import Language, MachineDraft, Source
from tests.archive.records.factories import (
    make_hold,
    make_matter,
)
from tests.archive.ui.records_scene import Scene
from tests.support.archives import without_triggers

TRANSCRIPT = """WEBVTT

00:00.100 --> 00:01.000
<v Ms. Lee>Good morning, everyone. Thank you for coming.

00:01.000 --> 00:01.900
שלום לכולם.

00:01.900 --> 00:03.000
A_word_of_which_nobody_knows_where_it_breaks_on_a_narrow_screen, because it has no space.
"""


def make_redactions(row: Recording, student: Student, maker: User, viewer: User) -> dict[str, str]:
    """Make a redacted copy in each state; return the address of each of their pages."""
    now = timezone.now()
    passage = redaction_deeds.PassageFacts(8000, 16000, How.TONE, Basis.OTHER_STUDENT, "Another child is named.")
    base, pages = f"/recordings/{row.pk}/redactions/", {}
    begun = {}
    for name in ("draft", "empty", "failed", "made", "asked", "withdrawn", "signed"):
        begun[name] = redaction_deeds.begin(row.pk, f"Copy that is {name}", student, by=maker)
        if name == "empty":
            continue
        redaction_deeds.enter_passage(row.pk, begun[name].pk, passage, by=maker)
        if name in {"made", "signed"}:
            redaction_deeds.ask(row.pk, begun[name].pk, by=maker)
    make_asked(StopSignal())
    redaction_deeds.ask(row.pk, begun["asked"].pk, by=maker)
    redaction_deeds.withdraw(row.pk, begun["withdrawn"].pk, "A name is left in it.", by=maker)
    Redaction.objects.filter(pk=begun["failed"].pk).update(state="failed", problem="The package is damaged.")
    signed = Redaction.objects.get(pk=begun["signed"].pk)
    record(
        SIGNED,
        actor=Actor.user(viewer.pk),
        subject=Subject.recording(row.pk),
        redaction=signed.pk.hex,
        sha256=signed.sha256,
        heard_s=3,
        took_s=4,
    )
    Redaction.objects.filter(pk=signed.pk).update(state="signed", signed_at=now, signed_by=viewer, heard_s=3, took_s=4)
    for name, one in begun.items():
        pages[f"redaction-{name}"] = f"{base}{one.pk}/"
    draft, made = (f"{base}{begun[name].pk}/" for name in ("draft", "made"))
    entered = Passage.objects.get(redaction=begun["draft"])
    return pages | {
        "redactions": "/redactions/",
        "redaction-new": f"{base}new/",
        "redaction-passage": f"{draft}passages/new/",
        "redaction-passage-remove": f"{draft}passages/{entered.pk}/remove/",
        "redaction-make": f"{draft}make/",
        "redaction-sign-off": f"{made}sign-off/",
        "redaction-reopen": f"{made}reopen/",
        "redaction-withdraw": f"{made}withdraw/",
        "redaction-lift": f"{base}{begun['withdrawn'].pk}/lift/",
        "redaction-log": f"{base}{signed.pk}/exemptions/",
        "disclosure-redacted": f"/recordings/{row.pk}/disclose/?redaction={signed.pk}",
    }


def fill_life(s: Scene) -> dict[str, str]:
    """Make one of each around a recording of a box; return each page's address by its name."""
    over = make_matter("A complaint", released_at=s.now, release_reason="It was settled.")
    held = make_hold(s.matter, student=s.adult)
    make_hold(s.matter, recording=s.second)
    series = Series.objects.create(code="SPED 4", title="Meetings of teams", kinds=["iep"], entered_at=s.now)
    with without_triggers():
        Answer.objects.create(
            series=series,
            number=1,
            permanent=False,
            years=7,
            counts_from="left",
            citation="Schedule of the state, item 4",
            decided_by="the board",
            decided_on=s.now.date(),
            advice="Counsel Lee, in writing",
            entry=1,
            entered_at=s.now,
        )

    proposed = Destruction.objects.create(
        recording=s.first, basis="period", reason="The years are over.", proposed_at=s.now, proposed_by=s.colleague
    )
    told = Told.objects.create(
        destruction=proposed,
        person=s.parent,
        student=s.student,
        letter=s.delivered,
        reply="objects",
        replied_on=s.now.date(),
    )
    with without_triggers():
        done = Destruction.objects.create(
            recording=s.second,
            state="done",
            basis="period",
            proposed_at=s.now,
            proposed_by=s.colleague,
            approved_at=s.now,
            approved_by=s.viewer,
            closed_at=s.now,
            closed_by=s.viewer,
            finished_at=s.now,
        )
    disclosed = Disclosure.objects.create(
        recording=s.first,
        what="audio",
        party="Dr. Lee, evaluator",
        purpose="an evaluation",
        basis="compelled",
        explanation="Circuit Court, no. 17",
        prepared_at=s.now,
        prepared_by=s.colleague,
    )
    handed = Disclosure.objects.create(
        recording=s.first,
        what="audio",
        party="Rosa Torres",
        purpose="her own",
        basis="own",
        prepared_at=s.now,
        handed_at=s.now,
        handed_by=s.viewer,
        sha256="0" * 64,
    )
    consent = Consent.objects.create(
        recording=s.first,
        student=s.student,
        person=s.parent,
        records="the recording",
        purpose="an evaluation",
        party="Dr. Lee, evaluator",
        signed_on=s.now.date(),
        how="paper",
        proof="in the file",
        entered_at=s.now,
    )
    Recorded.objects.create(recording=s.first, name="Lee Park", consented_on=s.now.date(), proof="in the file")
    Recorded.objects.create(recording=s.first, name="Marta Ruiz, interpreter")

    passage = Restriction.objects.create(
        recording=s.first, first_frame=8000, reason="Staff talked on.", made_at=s.now, made_by=s.colleague
    )

    facts = Facts(Source.CART, Language.EN, "Heartland Captions, " + "a name that is long " * 5)
    bring(s.first.pk, TRANSCRIPT.encode(), 0, facts, recipient_of(s.first.pk), by=s.viewer)
    answer(s.first.pk, 1, "A. Ruiz, director of special education", by=s.viewer)
    bring(
        s.first.pk, TRANSCRIPT.replace("morning", "evening").encode(), 0, facts, recipient_of(s.first.pk), by=s.viewer
    )
    bring(s.first.pk, TRANSCRIPT.replace("Good", "Bad").encode(), 0, facts, recipient_of(s.first.pk), by=s.viewer)
    set_aside(s.first.pk, 3, "It is of another meeting.", by=s.viewer)
    bring(
        s.second.pk,
        TRANSCRIPT.encode(),
        0,
        Facts(Source.VENDOR, Language.SEVERAL, "a service"),
        recipient_of(s.second.pk),
        by=s.viewer,
    )
    MachineDraft.objects.create(recording=s.first, asked_at=s.now, finished_at=s.now, problem="another-model")
    redactions = make_redactions(s.first, s.student, s.colleague, s.viewer)
    return redactions | {
        "transcript": f"/recordings/{s.first.pk}/transcript/",
        "transcript-draft": f"/recordings/{s.second.pk}/transcript/",
        "transcript-aside": f"/recordings/{s.first.pk}/transcripts/3/",
        "transcript-new": f"/recordings/{s.first.pk}/transcripts/new/",
        "transcript-ask": f"/recordings/{s.third}/transcripts/draft/",
        "transcript-answer": f"/recordings/{s.first.pk}/transcripts/2/answer/",
        "transcript-set-aside": f"/recordings/{s.first.pk}/transcripts/2/set-aside/",
        "slip": f"/recordings/{s.first.pk}/slip/",
        "evidence": f"/recordings/{s.first.pk}/evidence/",
        "restrict": f"/recordings/{s.first.pk}/restrict/",
        "restriction-lift": f"/recordings/{s.first.pk}/restrictions/{passage.pk}/lift/",
        "destructions": "/destructions/",
        "destruction-new": f"/recordings/{s.third}/destroy/",
        "destruction": f"/destructions/{proposed.pk}/",
        "destruction-done": f"/destructions/{done.pk}/",
        "destruction-tell": f"/destructions/{proposed.pk}/students/{s.student.pk}/people/{s.parent.pk}/tell/",
        "destruction-reply": f"/destructions/{proposed.pk}/letters/{told.pk}/reply/",
        "destruction-approve": f"/destructions/{proposed.pk}/approve/",
        "destruction-withdraw": f"/destructions/{proposed.pk}/withdraw/",
        "destruction-carry-out": f"/destructions/{proposed.pk}/carry-out/",
        "disclosures": "/disclosures/",
        "disclosure-new": f"/recordings/{s.first.pk}/disclose/",
        "disclosure": f"/disclosures/{disclosed.pk}/",
        "disclosure-handed": f"/disclosures/{handed.pk}/",
        "disclosure-notice": f"/disclosures/{disclosed.pk}/notice/",
        "disclosure-letter": f"/disclosures/{disclosed.pk}/letter/",
        "disclosure-withdraw": f"/disclosures/{disclosed.pk}/withdraw/",
        "consent-new": f"/recordings/{s.first.pk}/consents/new/",
        "consent-withdraw": f"/recordings/{s.first.pk}/consents/{consent.pk}/withdraw/",
        "recorded": f"/recordings/{s.first.pk}/recorded/",
        "recording": f"/recordings/{s.first.pk}/",
        "holds": "/holds/",
        "matter": f"/holds/{s.matter.pk}/",
        "matter-ended": f"/holds/{over.pk}/",
        "matter-edit": f"/holds/{s.matter.pk}/edit/",
        "matter-add": f"/holds/{s.matter.pk}/add/",
        "matter-end": f"/holds/{s.matter.pk}/end/",
        "hold-release": f"/holds/{s.matter.pk}/items/{held.pk}/release/",
        "hold-recording": f"/recordings/{s.first.pk}/hold/",
        "retention": "/retention/",
        "retention-ahead": "/retention/ahead/",
        "retention-question": "/retention/question/",
        "series": f"/retention/{series.pk}/",
        "answer-new": f"/retention/{series.pk}/answer/",
        "custody": f"/recordings/{s.first.pk}/custody/",
    }
