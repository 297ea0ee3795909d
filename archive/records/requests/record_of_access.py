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
from archive.access.scopes import ScopeType
from archive.custody.actors import ActorType, Subject
from archive.custody.models import Entry
from archive.custody.wording import rows as wording_rows
from archive.records.meetings.models import Filing
from archive.records.people.models import Student

_TOLD: Final = {
    "listen": _("listened"),
    "download-package": _("took a copy"),
    "download-flac": _("took a copy"),
    "download-receipt": _("took a copy"),
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
    found: list[tuple[int, AccessRow]] = []
    for filing in Filing.objects.filter(meeting__student=student).select_related("recording"):
        entries = list(Entry.objects.about(Subject.recording(filing.recording_id)).filter(code__in=_TOLD))
        told = [one for one in entries if filing.ended_at is None or parse_wall(one.at) <= filing.ended_at]
        for entry, row in zip(told, wording_rows(told), strict=True):
            party = _parties[entry.code](entry) if entry.code in _parties else None
            if party is not None:
                told_row = AccessRow(row.at, party.name, party.basis, str(_TOLD[entry.code]), party.purpose, "")
                found.append((entry.n, told_row))
                continue
            grant = _grant_of(entry, student)
            found.append(
                (
                    entry.n,
                    AccessRow(
                        row.at,
                        row.who,
                        grant.position if grant else "",
                        str(_TOLD[entry.code]),
                        grant.purpose if grant else "",
                        row.detail,
                    ),
                )
            )
    return [row for _, row in sorted(dict(found).items())]


def _grant_of(entry: Entry, student: Student) -> Grant | None:
    """Return the grant under which somebody acted then, for its purpose and position."""
    if entry.actor_type != ActorType.USER:
        return None
    at = parse_wall(entry.at)
    held = Grant.objects.filter(user_id=entry.actor_id).at(at)
    own = held.filter(scope_type=ScopeType.STUDENT, scope_id=str(student.pk)).exclude(purpose="").first()
    return own or held.exclude(purpose="").first()
