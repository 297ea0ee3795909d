"""The record of access of one student's recordings, for the parent: from the custody log (34 CFR 99.32, 300.614).

Who received access or asked for it, when, and for what purpose, is there; IDEA's record leaves out parents and
authorized employees, so each row says who it is, and the print says what the law would leave out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from archive.custody.actors import ActorType, SubjectType
from archive.custody.models import Entry
from archive.custody.phrases import spans_in_words
from archive.custody.wording import rows as wording_rows
from archive.recordings.custody_kinds import HEARD, LISTEN
from archive.recordings.listens import settle_recordings
from archive.recordings.spans import as_text, from_text, joined
from archive.records.meetings.models import Meeting
from archive.records.people.models import Student

from .accessed import Reached, counts, times_filed
from .models import SupervisedListening

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


OWN_ACCESS: Final = _("a parent's own access (34 CFR 99.10)")
LISTENED_HERE: Final = _("listened at the office")
BESIDE: Final = _("{who} sat beside")
SENT: Final = _("was sent {spans}")
_OF_A_MEETING: Final = ("filed", "filing-ended")
"""What is told of the student's own meetings alone: another one's filing is that family's."""


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
    students: frozenset[UUID]
    """Whose record alone it was; empty where nothing says so, and it is everybody's."""
    what: str = ""
    """What the party did, in words; empty: as TOLD has it."""
    beside: bool = False
    """Whether whoever is in the log only sat beside."""


_parties: Final[dict[str, Callable[[Entry], Party | None]]] = {}


def register_party(code: str, party_of: Callable[[Entry], Party | None]) -> None:
    """Have `party_of` tell to whom the entries of this kind say that something went."""
    _parties[code] = party_of


def record_of_access(student: Student) -> list[AccessRow]:
    """Return the lines for all recordings that are or were filed under the student's meetings, oldest first.

    Of a recording that was filed wrongly, only the time of the filing counts; of one that was split, what reached the
    student's part (34 CFR 99.12(a)).
    """
    times = times_filed(student)
    kinds = (SubjectType.RECORDING, SubjectType.OUTSIDE)
    settle_recordings(sorted(times))
    about = Entry.objects.filter(subject_type__in=kinds, subject_id__in=times, code__in=TOLD)
    told = [one for one in about.order_by("n") if counts(one, times[one.subject_id])]
    meetings = {str(pk) for pk in Meeting.objects.filter(student=student).values_list("pk", flat=True)}
    told = [one for one in told if one.code not in _OF_A_MEETING or one.member("meeting") in meetings]
    reached, found, sent = Reached.by(student, told), [], _sent(told)
    for entry, row in zip(told, wording_rows(told), strict=True):
        party = _parties[entry.code](entry) if entry.code in _parties else None
        if party is not None:
            if not reached.of_others(entry, party.students):
                what = str(party.what or TOLD[entry.code])
                beside = str(BESIDE).format(who=row.who) if party.beside else ""
                found.append(AccessRow(row.at, party.name, party.basis, what, party.purpose, beside))
            continue
        if reached.another(entry):
            continue
        held = next((one for one in reached.held(entry) if one.purpose), None)
        by_role = str(BY_ROLE) if entry.actor_type == ActorType.USER and entry.code != "refusal" else ""
        position, purpose = (held.position, held.purpose) if held else ("", by_role)
        detail = "; ".join(filter(None, (row.detail, sent.get(entry.n, ""))))
        found.append(AccessRow(row.at, row.who, position, str(TOLD[entry.code]), purpose, detail))
    return found


def _sent(told: list[Entry]) -> dict[int, str]:
    """Return which spans of a recording were sent to the player of each listening, in words, by its entry's number."""
    listened = {one.n for one in told if one.code == LISTEN.code}
    spans: dict[int, list[tuple[int, int]]] = {}
    about = Entry.objects.filter(subject_id__in={one.subject_id for one in told}, code=HEARD.code)
    for entry in about if listened else ():
        if (first := entry.member("listen")) in listened:
            spans.setdefault(first, []).extend(from_text(entry.member("spans")))
    return {first: str(SENT).format(spans=spans_in_words(as_text(joined(one)))) for first, one in spans.items()}


def listener_of(entry: Entry) -> Party | None:
    """Return who listened at the office, beside whom staff sat (34 CFR 99.10)."""
    row = SupervisedListening.objects.filter(pk=entry.member("listening")).select_related("request__person").first()
    if row is None:
        return None
    asked = row.request
    return Party(
        str(asked.person), str(OWN_ACCESS), "", frozenset({asked.student_id}), what=str(LISTENED_HERE), beside=True
    )
