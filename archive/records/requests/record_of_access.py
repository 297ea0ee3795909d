"""The record of access of one student's recordings, for the parent: from the custody log (34 CFR 99.32, 300.614).

Who received access or asked for it, when, and for what purpose, is there; IDEA's record leaves out parents and
authorized employees, so each row says who it is, and the print says what the law would leave out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from appliance.contract.times import parse_wall
from archive.access.models import Grant
from archive.access.scopes import Scope
from archive.custody.actors import ActorType, SubjectType
from archive.custody.models import Entry
from archive.custody.wording import rows as wording_rows
from archive.records.meetings.models import Filing
from archive.records.outside_recordings.models import OutsideFiling
from archive.records.people.models import Student

TOLD: Final = {
    "listen": _("listened"),
    "transcript-read": _("read the transcript"),
    "transcript-taken": _("took a copy of the transcript"),
    "download-package": _("took a copy"),
    "download-flac": _("took a copy"),
    "download-receipt": _("took a copy"),
    "download-outside": _("took a copy"),
    "evidence": _("took an evidence package"),
    "disclosed": _("was given a copy"),
    "look": _("opened the recording's page"),
    "refusal": _("was refused"),
    "verify": _("checked that the recording is unchanged"),
    "filed": _("filed the recording under a meeting"),
    "filing-ended": _("took the recording out of a meeting, where it was filed by mistake"),
    "statement": _("placed a parent's statement with the recording"),
    "supervised": _("let a parent listen at the office"),
}
"""Kinds of entries about a recording that the record of access tells, in words for a parent."""


BY_ROLE: Final = _("work as a school official (34 CFR 99.31(a)(1))")
"""The purpose of somebody who acted by the rights of an account's role, which name none of their own."""


@dataclass(frozen=True)
class AccessRow:
    """One line of the record of access."""

    at: datetime
    who: str
    position: str
    """Position or part in the matter, as the grant says."""
    what: str
    purpose: str
    detail: str


@dataclass(frozen=True)
class Party:
    """To whom something went, where that is not whoever did it (34 CFR 99.32(a)(3))."""

    name: str
    purpose: str
    basis: str


_parties: Final[dict[str, Callable[[Entry], Party | None]]] = {}


def register_party(code: str, party_of: Callable[[Entry], Party | None]) -> None:
    """Have `party_of` tell to whom the entries of this kind say that something went."""
    _parties[code] = party_of


def record_of_access(student: Student) -> list[AccessRow]:
    """Return the lines for all recordings that are or were filed under the student's meetings, oldest first.

    Of a recording that was filed wrongly, only the time of the filing counts.
    """
    until: dict[str, datetime | None] = {}
    filed = [(one.recording_id, one.ended_at) for one in Filing.objects.filter(meeting__student=student)]
    # identifiers of both kinds are random, so one list holds them
    filed += [(one.outside_id, one.ended_at) for one in OutsideFiling.objects.filter(meeting__student=student)]
    for pk, ended_at in filed:
        known = until.get(pk, ended_at)
        until[pk] = ended_at and known and max(ended_at, known)
    kinds = (SubjectType.RECORDING, SubjectType.OUTSIDE)
    about = Entry.objects.filter(subject_type__in=kinds, subject_id__in=until, code__in=TOLD)
    told = [one for one in about.order_by("n") if _counts(one, until[one.subject_id])]
    users = {one.actor_id for one in told if one.actor_type == ActorType.USER}
    grants: dict[str, list[Grant]] = {}
    for grant in Grant.objects.filter(user__in=users).exclude(purpose=""):
        grants.setdefault(str(grant.user_id), []).append(grant)
    found = []
    for entry, row in zip(told, wording_rows(told), strict=True):
        party = _parties[entry.code](entry) if entry.code in _parties else None
        if party is not None:
            found.append(AccessRow(row.at, party.name, party.basis, str(TOLD[entry.code]), party.purpose, ""))
            continue
        held = _held_then(grants.get(entry.actor_id, []), student, row.at)
        by_role = str(BY_ROLE) if entry.actor_type == ActorType.USER and entry.code != "refusal" else ""
        position, purpose = (held.position, held.purpose) if held else ("", by_role)
        found.append(AccessRow(row.at, row.who, position, str(TOLD[entry.code]), purpose, row.detail))
    return found


def _counts(entry: Entry, ended_at: datetime | None) -> bool:
    return ended_at is None or parse_wall(entry.at) <= ended_at


def _held_then(grants: list[Grant], student: Student, at: datetime) -> Grant | None:
    """Return the grant under which somebody acted then, for its purpose and position; one for the student first."""
    held = [one for one in grants if one.valid_from <= at and (one.valid_until is None or one.valid_until > at)]
    own = [one for one in held if one.scope == Scope.student(student.pk)]
    return next(iter([*own, *held]), None)
