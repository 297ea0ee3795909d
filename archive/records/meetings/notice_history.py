"""What a meeting's page says of notices that were logged wrongly and corrected."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.people.models import Student
from archive.records.people.search import reached

from .describe import NoticeWords, notice_words
from .models import Meeting, Notice, NoticeCorrection


@dataclass(frozen=True)
class CorrectionWords:
    """One correction in words."""

    row: NoticeCorrection
    then: NoticeWords
    """What the notice said before, read as a notice is: also whether it seemed late."""
    student: str
    """Whose it seemed to be; empty for a reader who does not reach that student's meetings, nor what it said then."""
    why: str
    """Why it was corrected; it may name every student whom the notice was ever about, so it is empty for a reader who
    does not reach them all."""
    came: Meeting | None
    """The meeting at which it stood, where that is another one that the reader reaches."""
    went: Meeting | None
    """The meeting at which it stands since, where that is another one that the reader reaches."""
    moved: bool
    """Whether it left the meeting whose page this is."""


def corrections_of(meeting: Meeting, reader: User) -> list[CorrectionWords]:
    """Return what was corrected of notices that stand or stood at a meeting, as far as `reader` may know of others."""
    rows = list(
        NoticeCorrection.objects.filter(Q(notice__meeting=meeting) | Q(meeting=meeting)).select_related(
            "notice__meeting__student", "meeting__student", "student", "given_by", "by"
        )
    )
    if not rows:
        return []
    # a reason may name whoever the notice was ever about: also by a correction of which this page does not tell
    ever: dict[UUID, set[UUID]] = {one.notice_id: {one.notice.student_id} for one in rows}
    for notice, student in NoticeCorrection.objects.filter(notice__in=ever).values_list("notice", "student"):
        ever[notice].add(student)
    students = set[UUID]().union(*ever.values())
    near = Student.objects.filter(reached(reach_of(reader, Deed.MEETINGS)), pk__in=students)
    seen = set(near.values_list("pk", flat=True))

    def other(one: Meeting | None) -> Meeting | None:
        return one if one is not None and one != meeting and one.student_id in seen else None

    return [
        CorrectionWords(
            one,
            notice_words(Notice(received_at=one.received_at, meeting_at=one.meeting_at)),
            str(one.student) if one.student_id in seen else "",
            one.why if ever[one.notice_id] <= seen else "",
            other(one.meeting),
            other(one.notice.meeting),
            one.notice.meeting_id != meeting.pk,
        )
        for one in rows
    ]
