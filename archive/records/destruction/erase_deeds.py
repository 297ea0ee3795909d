"""Removing personal identifiers from what stands beside a destroyed recording (34 CFR 300.611(a)).

What is left is a tombstone: that there was a recording, its digests, who decided, and opaque identifiers in the custody
log that no table leads from any more to a person. The meeting itself is another record, and stays the calendar's; it
gets a new identifier, so that the log's old one names nothing; so do its notices and letters.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import ForeignObjectRel, Q

from archive.recordings.listens import settle_recordings
from archive.recordings.models import PackageIndex, PageView, Recording, Verification, Waveform
from archive.recordings.removal import identifying_rows
from archive.records.disclosures.models import Consent, Disclosure, NoticeGiven, Recorded
from archive.records.holds.models import Held
from archive.records.incidents.models import Incident, IncidentLetter
from archive.records.letters.models import Letter
from archive.records.meetings.models import Filing, Meeting, Notice, OpeningEvent
from archive.records.outside_recordings.either import Either, named, subject_of
from archive.records.outside_recordings.erase_deeds import erase_outside
from archive.records.outside_recordings.models import OutsideFiling
from archive.records.redactions.models import Hearing, Passage, Redaction
from archive.records.requests.models import Amendment, Statement, SupervisedListening
from archive.records.restrictions.models import Restriction
from archive.records.transcripts.models import MachineDraft, Transcript

from .models import Destruction, EarlierReply, Told

_ERASED = "erased with the recording"


def erase(row: Either) -> dict[str, int]:
    """Remove what names somebody beside a recording that is called destroyed; return how many rows of each kind.

    Call it in a transaction.
    """
    pk, subject, of_box = row.pk, subject_of(row), isinstance(row, Recording)
    filed = Filing.objects.filter(recording=pk).values_list("meeting", flat=True)
    brought = OutsideFiling.objects.filter(outside=pk).values_list("meeting", flat=True)
    meetings = {*filed, *brought}
    NoticeGiven.objects.filter(disclosure__in=Disclosure.objects.filter(named(pk))).delete()
    # also what was proposed before and withdrawn
    of_it = Destruction.objects.filter(named(pk))
    of_it.update(reason="", asked_by=None, withdrawn_reason="")
    Told.objects.filter(destruction__in=of_it).update(person=None, student=None, remark="")
    EarlierReply.objects.filter(told__destruction__in=of_it).update(remark="")
    removed = {
        "consents": Consent.objects.filter(named(pk)).delete()[0],
        "names of people who were recorded": Recorded.objects.filter(named(pk)).delete()[0],
        "disclosures": Disclosure.objects.filter(named(pk)).delete()[0],
        "holds that had ended": Held.objects.filter(named(pk)).delete()[0],
    }
    about = Q(about_type=subject.type, about_id=pk) | Q(about_type="case", about_id__in=_amendments(pk))
    removed |= {
        "letters": _erase_letters(about),
        "statements": Statement.objects.filter(named(pk)).delete()[0],
        "amendments": Amendment.objects.filter(named(pk)).delete()[0],
    }
    beside = _of_box(pk) if of_box else _of_outside(pk)
    removed |= {name: removed.get(name, 0) + count for name, count in beside.items()}
    if of_box:
        # another box's copy of the meeting is enough; what was brought stands in for none
        left = Filing.objects.filter(meeting__in=meetings).values("meeting")
        Meeting.objects.filter(pk__in=meetings).exclude(pk__in=left).update(recording_destroyed=True)
    for meeting in meetings:
        if not any(model.objects.filter(meeting=meeting).exists() for model in (Filing, OutsideFiling)):
            _rename(meeting)
    return {name: count for name, count in removed.items() if count}


def _of_outside(pk: str) -> dict[str, int]:
    """Remove what stands beside a recording that no box made, and beside no other."""
    beside = {name: rows.delete()[0] for name, rows in identifying_rows(pk).items()}
    return {**erase_outside(pk), **beside}


def _of_box(recording: str) -> dict[str, int]:
    """Remove what stands beside a box's recording, and beside no other."""
    settle_recordings([recording])
    incidents = Incident.objects.filter(recording=recording)
    written = IncidentLetter.objects.filter(incident__in=incidents).values_list("letter", flat=True)
    removed = {
        "letters": _erase_letters(Q(pk__in=list(written))),
        "incident records": incidents.delete()[0],
    }
    for name, rows in {
        "notes of the meeting": OpeningEvent.objects.filter(recording=recording),
        "transcripts": Transcript.objects.filter(recording=recording),
        "drafts of the computer": MachineDraft.objects.filter(recording=recording),
        "listenings to redacted copies": Hearing.objects.filter(redaction__recording=recording),
        "passages of redacted copies": Passage.objects.filter(redaction__recording=recording),
        "redacted copies": Redaction.objects.filter(recording=recording),
        "restricted passages": Restriction.objects.filter(recording=recording),
        "supervised listenings": SupervisedListening.objects.filter(recording=recording),
        "filings": Filing.objects.filter(recording=recording),
        "page views": PageView.objects.filter(recording=recording),
        "checks": Verification.objects.filter(recording=recording),
        "indexes": PackageIndex.objects.filter(recording=recording),
        "waveforms": Waveform.objects.filter(recording=recording),
        **identifying_rows(recording),
    }.items():
        removed[name] = rows.delete()[0]
    return removed


def _amendments(recording: str) -> list[str]:
    return [str(pk) for pk in Amendment.objects.filter(named(recording)).values_list("pk", flat=True)]


def _erase_letters(which: Q) -> int:
    return Letter.objects.filter(which).update(student=None, person=None, subject=_ERASED, body=_ERASED)


def _rename(meeting: uuid.UUID) -> None:
    """Give a meeting another identifier, wherever it stands, and its notices and letters as well: the log has them."""
    letters = Letter.objects.filter(about_type="meeting", about_id=str(meeting))
    for model, pks in (
        (Letter, list(letters.values_list("pk", flat=True))),
        (Notice, list(Notice.objects.filter(meeting=meeting).values_list("pk", flat=True))),
    ):
        for pk in pks:
            _renew(model, pk)
    letters.update(about_id=str(_renew(Meeting, meeting)))


def _renew(model: type[models.Model], pk: uuid.UUID) -> uuid.UUID:
    """Give a row another identifier, wherever rows name it, and return that."""
    new = uuid.uuid4()
    model._default_manager.filter(pk=pk).update(id=new)
    # also rows that the model itself knows nothing of (related_name "+"), such as the letter of an incident
    relations = [one for one in model._meta.get_fields(include_hidden=True) if isinstance(one, ForeignObjectRel)]
    for relation in relations:
        field = relation.field
        relation.related_model._default_manager.filter(**{field.name: pk}).update(  # type: ignore[union-attr]
            **{field.attname: new}
        )
    return new
