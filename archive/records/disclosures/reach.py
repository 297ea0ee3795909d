"""What is known about a disclosure, and whom it is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from django.db.models import QuerySet
from django.utils import timezone

from archive.access.scopes import Scope, scopes_of
from archive.custody.models import Entry
from archive.recordings.parts import Parts, both
from archive.records.meetings.models import OpeningEvent, OpeningEventKind
from archive.records.meetings.reach import in_force, parts_about, parts_filed
from archive.records.outside_recordings.either import meetings_of, named, students_of
from archive.records.outside_recordings.models import OutsideRestriction
from archive.records.people.models import Person, Student
from archive.records.people.reach import holders_now
from archive.records.redactions.models import State
from archive.records.redactions.reach import spans_in, spans_of
from archive.records.redactions.rules import merged, outside
from archive.records.requests.record_of_access import Party
from archive.records.restrictions.reach import restricted, unrestricted

from .models import Basis, Consent, Copy, Disclosure, Recorded
from .rules import ConsentFacts, Facts


def scopes_of_disclosure(disclosure: str) -> Iterable[Scope]:
    """Return the scopes that hold the recording of a disclosure."""
    for row in Disclosure.objects.filter(pk=disclosure):
        yield from scopes_of(row.subject)


def open_disclosures(recording: str) -> QuerySet[Disclosure]:
    """Return what is prepared of a recording of either kind, and was neither taken out as a whole nor withdrawn."""
    return Disclosure.objects.filter(named(recording), handed_at=None, withdrawn_at=None)


def party_of(entry: Entry) -> Party | None:
    """Return to whom a copy went and for what purpose, for the record of access (34 CFR 99.32(a)(3))."""
    row = Disclosure.objects.filter(pk=entry.member("disclosure")).select_related("redaction").first()
    if row is None:
        return None
    alone = row.redaction.student_id if row.redaction is not None else None
    return Party(row.party, row.purpose, row.get_basis_display(), frozenset({alone} if alone else ()))


def _students_of(row: Disclosure) -> QuerySet[Student]:
    """Return whose record a copy is: of one that was redacted for a student's parents, that student's alone."""
    known = students_of(row.about_pk)
    if row.redaction is None or row.redaction.student_id is None:
        return known
    return known.filter(pk=row.redaction.student_id)


def student_of(row: Disclosure, person: Person) -> Student | None:
    """Return whose record a disclosure is of those over whose records `person` holds rights today."""
    for student in _students_of(row):
        held = holders_now(student.rights.select_related("person"), student.bars.all(), timezone.localdate())
        if any(one.person == person for one in held):
            return student
    return None


def not_named(recording: str) -> list[str]:
    """Return who was noted at the opening and is not among those recorded."""
    kinds = (OpeningEventKind.PRESENT, OpeningEventKind.TOLD, OpeningEventKind.PARENT_RECORDS)
    noted = OpeningEvent.objects.filter(meeting__in=meetings_of(recording), kind__in=kinds).exclude(who="")
    entered = set(Recorded.objects.filter(named(recording)).values_list("name", flat=True))
    names = [*entered, *dict.fromkeys(noted.values_list("who", flat=True))]
    # "Rosa Torres" is "Rosa Torres, mother", who was noted as well
    return [one for one in names[len(entered) :] if one not in entered and not _is_short_for(one, names)]


def _is_short_for(name: str, names: list[str]) -> bool:
    return any(other.startswith(f"{name}, ") for other in names)


def _is_called(party: str, name: str) -> bool:
    """Tell whether a party is somebody of this name, with or without a part behind it: "Rosa Torres, mother"."""
    return f"{party.casefold()},".startswith(f"{name.casefold()},")


def parts_that_leave(row: Disclosure) -> Parts | None:
    """Return what of a recording's own audio leaves by a disclosure; None means all of it.

    Nothing that is restricted; and by a parent's own access nothing that is not filed under a meeting of the student
    (34 CFR 99.12(a)).
    """
    bounds = [unrestricted(row.about_pk), *(_parts_of_own(row) if row.basis == Basis.OWN else [])]
    known = [one for one in bounds if one is not None]
    return reduce(both, known) if known else None


def _parts_of_own(row: Disclosure) -> list[Parts | None]:
    return [parts_about(one.pk, row.about_pk) for one in _students_of(row)] if row.recording_id else []


def _in_parts(row: Disclosure) -> bool:
    return any(one is not None for one in _parts_of_own(row))


def _holds_unfiled(row: Disclosure) -> bool:
    """Tell whether what leaves holds a part that nobody filed: the parents of whom it is about were not asked."""
    filings = list(in_force().filter(recording=row.recording_id)) if row.recording_id else []
    filed = parts_filed(filings) if filings else None
    if filed is None or row.basis == Basis.OWN:
        return False
    frames = row.recording.frames if row.recording else 0
    left = parts_that_leave(row) if row.what == Copy.AUDIO else None
    known = spans_in(filed, frames) + (outside(spans_in(left, frames), frames) if left is not None else ())
    if row.redaction is not None:
        known += spans_of(row.redaction)
    return bool(outside(merged(known), frames))


def facts_of(row: Disclosure) -> Facts:
    """Return what is known of a disclosure now."""
    today, recording = timezone.localdate(), row.about_pk
    students = _students_of(row).prefetch_related("rights__person", "bars")
    holders = [
        (student.pk, one.person)
        for student in students
        for one in holders_now(student.rights.all(), student.bars.all(), today)
    ]
    allowed = {(student, person.pk) for student, person in holders}
    consents = [
        ConsentFacts(
            str(one.student_id),
            one.party,
            one.purpose,
            one.signed_on,
            one.withdrawn_on,
            (one.student_id, one.person_id) in allowed,
            str(one.person) if one.copy_wanted else "",
        )
        for one in Consent.objects.filter(named(recording)).select_related("person").defer("scan")
    ]
    recorded = [(one.name, one.consented_on is not None) for one in Recorded.objects.filter(named(recording))]
    # whoever was noted at the opening was recorded, whether somebody entered that here or not
    recorded += [(name, False) for name in not_named(recording)]
    told = dict(row.told.values_list("student", "told_on"))
    return Facts(
        basis=Basis(row.basis),
        party=row.party,
        purpose=row.purpose,
        explanation=row.explanation,
        told=frozenset(str(pk) for pk in told),
        told_last=max(told.values(), default=None),
        waits_until=row.waits_until,
        exempt=row.exempt,
        students=[str(one.pk) for one in students],
        consents=consents,
        recorded=recorded,
        today=today,
        party_is_holder=any(_is_called(row.party, str(person)) for _, person in holders),
        holds_restricted=row.what not in {Copy.AUDIO, Copy.FILE} and bool(restricted(recording)),
        holds_others=row.basis == Basis.OWN and row.what != Copy.AUDIO and _in_parts(row),
        holds_unfiled=_holds_unfiled(row),
        silent=OutsideRestriction.objects.filter(outside=recording, lifted_at=None).exists(),
        unfinished_redaction=row.redaction is not None and row.redaction.state != State.SIGNED,
    )
