"""Restricting passages, and lifting that: each with its custody entry in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.find import check_not_destroyed, find
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.second_person import require_second

from .custody_kinds import LIFTED, RESTRICTED
from .models import Restriction


def restrict(recording: str, first: int, last: int | None, reason: str, *, by: User) -> Restriction:
    """Restrict a passage, in frames, at once. Raises DeedError for one outside of the recording."""
    with one_deed():
        row = find(recording, lock=True)
        check_not_destroyed(row)
        if not 0 <= first < (row.frames if last is None else last) <= row.frames:
            length = timedelta(seconds=int(row.seconds))
            raise DeedError(f"The passage must lie inside the recording, which is {length} long.", field="last")
        made = Restriction(
            recording=row, first_frame=first, last_frame=last, reason=reason, made_at=timezone.now(), made_by=by
        )
        record(
            RESTRICTED,
            actor=Actor.user(by.pk),
            subject=Subject.recording(recording),
            restriction=str(made.pk),
            first_frame=first,
            last_frame=last,
        )
        made.save(force_insert=True)
    return made


def lift(recording: str, pk: UUID, reason: str, *, by: User) -> Restriction:
    """Open a passage again, as a second person. Raises SecondPersonError for the one who restricted it."""
    with one_deed():
        row = Restriction.objects.select_for_update().filter(pk=pk, recording=recording, lifted_at=None).first()
        if row is None:
            raise UnknownRecordError("there is no such passage here, or it was opened again")
        require_second(
            [row.made_by_id], by, "You restricted it yourself. Ask a colleague to listen to it and to decide."
        )
        record(LIFTED, actor=Actor.user(by.pk), subject=Subject.recording(recording), restriction=str(pk))
        row.lifted_at, row.lifted_by, row.lift_reason = timezone.now(), by, reason
        row.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    return row
