"""Filing under a meeting by two, and restricting: each with its custody entry in the same transaction."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.meetings.custody_kinds import FILED, FILING_CONFIRMED, FILING_ENDED
from archive.records.meetings.models import Meeting
from archive.records.second_person import require_second

from .custody_kinds import LIFTED, RESTRICTED
from .models import OutsideFiling, OutsideRecording, OutsideRestriction, State
from .reach import check_kept, find_outside


def file_outside(pk: str, meeting: Meeting, *, by: User) -> OutsideFiling:
    """File it under a meeting; a second person must confirm it."""
    with one_deed():
        row = _locked(pk)
        if row.filings.filter(ended_at=None).exists():
            raise DeedError("It is filed already. End that filing first.", field="meeting")
        made = OutsideFiling(outside=row, meeting=meeting, filed_at=timezone.now(), filed_by=by)
        record(FILED, actor=Actor.user(by.pk), subject=Subject.outside(pk), **_detail(made))
        made.save(force_insert=True)
    return made


def confirm(pk: str, filing: UUID, *, by: User) -> OutsideFiling:
    """Confirm what another person said. Raises SecondPersonError for the one who filed it."""
    with one_deed():
        _locked(pk)
        row = _open(pk, filing)
        if row.confirmed_at is not None:
            raise DeedError("It was confirmed already.")
        require_second(
            [row.filed_by_id], by, "You filed it yourself. Ask a colleague to listen to it and to confirm it."
        )
        if row.filed_by_id is None:
            raise DeedError("The account that filed it was erased. End this filing, and file it again.")
        record(FILING_CONFIRMED, actor=Actor.user(by.pk), subject=Subject.outside(pk), **_detail(row))
        row.confirmed_at, row.confirmed_by = timezone.now(), by
        row.save(update_fields=["confirmed_at", "confirmed_by"])
    return row


def end_filing(pk: str, filing: UUID, reason: str, *, by: User) -> OutsideFiling:
    """Say that a filing is wrong: it ends at once, and whoever files it anew needs a second person again."""
    with one_deed():
        _locked(pk)
        row = _open(pk, filing)
        record(FILING_ENDED, actor=Actor.user(by.pk), subject=Subject.outside(pk), **_detail(row))
        row.ended_at, row.ended_by, row.end_reason = timezone.now(), by, reason
        row.save(update_fields=["ended_at", "ended_by", "end_reason"])
    return row


def restrict(pk: str, reason: str, *, by: User) -> OutsideRestriction:
    """Let fewer people hear it, at once."""
    with one_deed():
        row = _locked(pk)
        if row.restrictions.filter(lifted_at=None).exists():
            raise DeedError("It is restricted already.")
        made = OutsideRestriction(outside=row, reason=reason, made_at=timezone.now(), made_by=by)
        record(RESTRICTED, actor=Actor.user(by.pk), subject=Subject.outside(pk), restriction=str(made.pk))
        made.save(force_insert=True)
    return made


def lift(pk: str, restriction: UUID, reason: str, *, by: User) -> OutsideRestriction:
    """Open it again, as a second person. Raises SecondPersonError for the one who restricted it."""
    with one_deed():
        rows = OutsideRestriction.objects.select_for_update()
        row = rows.filter(pk=restriction, outside=pk, lifted_at=None).first()
        if row is None:
            raise UnknownRecordError("there is no such restriction here, or it was lifted")
        require_second(
            [row.made_by_id], by, "You restricted it yourself. Ask a colleague to listen to it and to decide."
        )
        record(LIFTED, actor=Actor.user(by.pk), subject=Subject.outside(pk), restriction=str(restriction))
        row.lifted_at, row.lifted_by, row.lift_reason = timezone.now(), by, reason
        row.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    return row


def _locked(pk: str) -> OutsideRecording:
    row = find_outside(pk, lock=True)
    check_kept(row)
    if row.state != State.SEALED:
        raise DeedError("It is not sealed yet.")
    return row


def _open(pk: str, filing: UUID) -> OutsideFiling:
    row = OutsideFiling.objects.select_for_update().filter(pk=filing, outside=pk, ended_at=None).first()
    if row is None:
        raise UnknownRecordError("there is no such filing here, or it was ended")
    return row


def _detail(row: OutsideFiling) -> dict[str, str]:
    return {"meeting": str(row.meeting_id), "filing": str(row.pk)}
