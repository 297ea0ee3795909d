"""Correcting a notice that was logged wrongly: what it said before is kept beside it, and the custody log has both."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from appliance.contract.times import wall
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.letters.deeds import mark_overtaken
from archive.records.letters.models import LetterKind

from .custody_kinds import NOTICE_CORRECTED
from .deeds import NoticeFacts, meeting_for
from .models import Meeting, Notice, NoticeCorrection, ParentRecords

_KEPT: Final = ("student", "meeting", "received_at", "meeting_at", "given_by", "reason", "device")
"""What a notice says, and a correction keeps as it was."""
_IN_LETTERS: Final = frozenset({"student", "meeting", "received_at", "device"})
"""What of it a letter says; the time is that of the meeting, as it is planned."""


def correct_notice(pk: UUID, facts: NoticeFacts, why: str, version: int, *, by: User) -> Notice:
    """Correct what was logged of a notice. Raises StaleError, and DeedError where nothing differs.

    It is about another meeting where student or day were wrong: the one that is planned for them, else a new one. The
    meeting at which it stood stays, for a person to cancel. Whether it came late follows from the times alone, as
    before: nobody answers a notice with yes or no (RSMo 162.686).
    """
    with one_deed():
        notice = Notice.objects.select_for_update().filter(pk=pk).first()
        if notice is None:
            raise UnknownRecordError("there is no such notice here")
        if notice.version != version:
            raise StaleError
        values = _values(notice, facts, by)
        before = {name: getattr(notice, name) for name in _KEPT}
        changed = sorted(name for name in _KEPT if values[name] != before[name])
        if not changed:
            raise DeedError("Nothing differs from what was logged.")
        then, now = notice.meeting, values["meeting"]
        moves = then is None or then.pk != now.pk
        # the log has it under one identifier at each meeting, so that no identifier leads from the one to the other
        new = uuid4() if moves else pk

        def enter(at: Meeting, known_as: UUID) -> None:
            # times alone: which student it was follows from the meeting, as long as that one's identifier names one
            record(
                NOTICE_CORRECTED,
                actor=Actor.user(by.pk),
                subject=Subject.meeting(at.pk),
                notice=str(known_as),
                fields=" ".join(changed),
                received_before=wall(notice.received_at),
                received=wall(facts.received_at),
                meeting_at_before=wall(notice.meeting_at),
                meeting_at=wall(facts.meeting_at),
            )

        if then is not None:
            enter(then, pk)
        if moves:
            enter(now, new)
        NoticeCorrection.objects.create(notice=notice, at=timezone.now(), by=by, why=why, **before)
        told = {name: values[name] for name in changed}
        Notice.objects.filter(pk=pk).update(id=new, version=F("version") + 1, **told)
        NoticeCorrection.objects.filter(notice=pk).update(notice=new)
        if then is not None and (moves or "device" in changed):
            _mend_device(then.pk, before["device"])
        if moves or "device" in changed:
            _take_device(now.pk, facts.device)
        if then is not None and _IN_LETTERS & set(changed):
            mark_overtaken(LetterKind.ACKNOWLEDGMENT, Subject.meeting(then.pk), by=by)
    return Notice.objects.get(pk=new)


def _values(notice: Notice, facts: NoticeFacts, by: User) -> dict[str, Any]:
    return {
        "student": facts.student,
        "meeting": _meeting_of(notice, facts) or meeting_for(facts, by, _facilitator(notice)),
        "received_at": facts.received_at,
        "meeting_at": facts.meeting_at,
        "given_by": facts.given_by,
        "reason": facts.reason,
        "device": facts.device,
    }


def _facilitator(notice: Notice) -> User | None:
    return notice.meeting.facilitator if notice.meeting else None


def _meeting_of(notice: Notice, facts: NoticeFacts) -> Meeting | None:
    """Return the meeting at which a notice stays whose student and day were right, also where that one was moved since.

    Where another one is planned for just the time that it names now, it is that one.
    """
    then, now = timezone.localtime(notice.meeting_at), timezone.localtime(facts.meeting_at)
    if notice.student != facts.student or then.date() != now.date():
        return None
    if notice.meeting and notice.meeting.cancelled_at:
        # it is about the one that is held, where there is one
        held = Meeting.objects.filter(student=facts.student, starts_at__date=now.date(), cancelled_at=None)
        return held.filter(starts_at=now).first() or held.order_by("starts_at").first() or notice.meeting
    if then == now or (notice.meeting and notice.meeting.starts_at == now):
        return notice.meeting
    planned = Meeting.objects.filter(student=facts.student, starts_at=now, cancelled_at=None)
    return planned.first() or notice.meeting


def _mend_device(pk: UUID, device: str) -> None:
    """Take back what a notice alone said of a meeting's device, while the parent did not answer at the meeting."""
    row = Meeting.objects.select_for_update().get(pk=pk)
    if device and row.parent_records == ParentRecords.UNKNOWN and row.parent_device == device:
        row.parent_device = row.notices.exclude(device="").values_list("device", flat=True).first() or ""
        row.version += 1
        row.save(update_fields=["parent_device", "version"])


def _take_device(pk: UUID, device: str) -> None:
    row = Meeting.objects.select_for_update().get(pk=pk)
    if device and not row.parent_device and row.parent_records == ParentRecords.UNKNOWN:
        row.parent_device = device
        row.version += 1
        row.save(update_fields=["parent_device", "version"])
