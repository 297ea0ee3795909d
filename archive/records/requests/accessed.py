"""Which entries about a recording belong to one student's record of access (34 CFR 99.32(a), 99.12(a)).

Of a recording that was filed under the student by mistake: what happened while it was. Of one that was split: what
reached the student's part, and not what reached another student's part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from appliance.contract.times import parse_wall, wall
from archive.access.deeds import OF_ONE_RECORDING, Deed
from archive.access.models import Grant
from archive.access.scopes import DISTRICT, Scope
from archive.custody.actors import ActorType
from archive.custody.models import Entry
from archive.recordings.parts import both
from archive.records.meetings.models import Filing
from archive.records.meetings.reach import parts_filed
from archive.records.outside_recordings.models import OutsideFiling
from archive.records.people.models import Right, Student

_REACHING: Final = OF_ONE_RECORDING | {
    Deed.FILE,
    Deed.REQUESTS,
    Deed.RESTRICT,
    Deed.TRANSCRIBE,
    Deed.REDACT,
    Deed.HOLD,
    Deed.DISCLOSE,
    Deed.DESTROY,
    Deed.OWN,
}
"""By what somebody reaches a recording. Whoever reaches it through the student by any of them stays in the record."""


def times_filed(student: Student) -> dict[str, list[tuple[str, str]]]:
    """Return when each recording counts as the student's, as the custody log writes times: begin and end, both in.

    An empty begin or end is none. What two people never agreed on does not count; of a filing that was ended, or that
    somebody called wrong, only its own time.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    confirmed = Q(meeting__student=student, confirmed_at__isnull=False)
    for one in Filing.objects.filter(confirmed):
        wrong = one.end_asked_at is not None or one.ended_at is not None
        found.setdefault(one.recording_id, []).append(_time(one, wrong=wrong))
    # identifiers of both kinds are random, so one table holds them
    for brought in OutsideFiling.objects.filter(confirmed):
        found.setdefault(brought.outside_id, []).append(_time(brought, wrong=brought.ended_at is not None))
    return found


def _time(one: Filing | OutsideFiling, *, wrong: bool) -> tuple[str, str]:
    return (wall(one.filed_at) if wrong else "", wall(one.ended_at) if one.ended_at else "")


def counts(entry: Entry, times: Iterable[tuple[str, str]]) -> bool:
    """Tell whether an entry was made at one of these times."""
    return any(begin <= entry.at and (not end or entry.at <= end) for begin, end in times)


@dataclass
class Reached:
    """What of recordings people reached who are in the custody log, to tell whose record they opened."""

    student: Student
    filings: dict[str, list[Filing]]
    """Confirmed filings by recording, of whichever student, ended or not."""
    grants: dict[str, list[Grant]]
    """Grants that reach recordings, by account."""
    families: dict[str, set[UUID]]
    """Over whose records the account's person holds or held rights."""

    @classmethod
    def by(cls, student: Student, entries: Iterable[Entry]) -> Reached:
        """Read what is known of the recordings and the accounts in these entries."""
        entries = list(entries)
        users = {one.actor_id for one in entries if one.actor_type == ActorType.USER}
        recordings = {one.subject_id for one in entries}
        filings: dict[str, list[Filing]] = {}
        for filing in Filing.objects.filter(recording__in=recordings, confirmed_at__isnull=False).select_related(
            "meeting__student"
        ):
            filings.setdefault(filing.recording_id, []).append(filing)
        grants: dict[str, list[Grant]] = {}
        for grant in Grant.objects.filter(user__in=users):
            grants.setdefault(str(grant.user_id), []).append(grant)
        families: dict[str, set[UUID]] = {}
        for user, pupil in Right.objects.filter(person__user__in=users).values_list("person__user", "student"):
            families.setdefault(str(user), set()).add(pupil)
        return cls(student, filings, grants, families)

    def held(self, entry: Entry) -> list[Grant]:
        """Return the grants under which somebody may have acted on the student's record, those for the student first.

        One for another student, school or recording is none: its purpose is another family's.
        """
        near = _near(self.student, entry.subject_id)
        own = Scope.student(self.student.pk)
        held = [one for one in self._then(entry) if one.scope in near]
        return sorted(held, key=lambda one: one.scope != own)

    def another(self, entry: Entry) -> bool:
        """Tell whether somebody reached another student's part alone: that is no access to this student's record."""
        if entry.actor_type != ActorType.USER:
            return False
        family = self.families.get(entry.actor_id, set())
        scopes = {one.scope for one in self._then(entry) if one.deed in _REACHING}
        if self.student.pk in family or scopes & _near(self.student, entry.subject_id):
            return False
        return self._apart(entry, lambda one: one.pk in family or not scopes.isdisjoint(_scopes(one)))

    def of_others(self, entry: Entry, students: frozenset[UUID]) -> bool:
        """Tell whether what was done for these students alone holds no part of this one's."""
        return self.student.pk not in students and self._apart(entry, lambda one: one.pk in students)

    def _apart(self, entry: Entry, reached: Callable[[Student], bool]) -> bool:
        """Tell whether the parts of the students who were reached then lie apart from the part of this one."""
        at = parse_wall(entry.at)
        then = [
            one
            for one in self.filings.get(entry.subject_id, [])
            if one.confirmed_at is not None and one.confirmed_at <= at and (one.ended_at is None or one.ended_at >= at)
        ]
        others = [one for one in then if one.meeting.student_id != self.student.pk and reached(one.meeting.student)]
        # filed later, it was another student's when somebody heard it, and this one's all along
        mine = [one for one in self.filings.get(entry.subject_id, []) if one.meeting.student_id == self.student.pk]
        parts, own = parts_filed(others), parts_filed([one for one in mine if one.ended_at is None] or mine)
        return bool(others) and parts is not None and own is not None and not both(parts, own)

    def _then(self, entry: Entry) -> list[Grant]:
        at: datetime = parse_wall(entry.at)
        return [
            one
            for one in self.grants.get(entry.actor_id, [])
            if one.valid_from <= at and (one.valid_until is None or one.valid_until > at)
        ]


def _scopes(student: Student) -> set[Scope]:
    return {Scope.student(student.pk)} | ({Scope.school(student.school_id)} if student.school_id else set())


def _near(student: Student, recording: str) -> set[Scope]:
    return {DISTRICT, Scope.recording(recording)} | _scopes(student)
