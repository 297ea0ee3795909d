"""From the proposal to the decision that cannot be taken back: each deed with its custody entry in one transaction.

The last of them commits that the recording is destroyed. Only then are key and package removed (finish_deeds.py), so
that whatever is killed in between leaves the state before the decision, or one that the worker completes.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.custody.clock import why_wrong
from archive.custody.kinds import Kind
from archive.custody.log import Detail, record
from archive.records.errors import DeedError, SecondPersonError, UnknownRecordError
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common
from archive.records.letters.models import LetterKind
from archive.records.meetings.describe import title
from archive.records.meetings.models import Meeting
from archive.records.outside_recordings.either import columns_of, find_kept, find_sealed, meetings_of, named
from archive.records.people.models import Person, Student
from archive.records.second_person import require_second

from .custody_kinds import APPROVED, DESTROYED, OVERTAKEN, PROPOSED, REPLY, TOLD, WITHDRAWN
from .describe import OBSTACLES
from .finish_deeds import finish
from .models import Basis, Destruction, Reply, State, Told
from .reach import standing_of, to_tell
from .rules import STANDS_AGAINST, Obstacle, against_approval, against_deed


def propose(recording: str, basis: Basis, reason: str, *, by: User, asked_by: Person | None = None) -> Destruction:
    """Propose that a recording be destroyed. Raises DeedError where it must be kept."""
    with one_deed():
        found = find_sealed(recording)
        if Destruction.objects.filter(named(recording)).exclude(state=State.WITHDRAWN).exists():
            raise DeedError("Its destruction was proposed already.")
        if basis == Basis.REQUEST and asked_by is None:
            raise DeedError("Say which parent asked for it.", field="asked_by")
        row = Destruction(
            **columns_of(found),
            basis=basis,
            reason=reason,
            asked_by=asked_by if basis == Basis.REQUEST else None,
            proposed_at=timezone.now(),
            proposed_by=by,
        )
        if row.asked_by and row.asked_by.pk not in {one.pk for _, one in to_tell(recording, timezone.localdate())}:
            raise DeedError(
                "This person holds no rights over the records, as far as this archive knows.", field="asked_by"
            )
        at_once = {Obstacle.KEPT, Obstacle.HELD, Obstacle.LOCKED, Obstacle.REQUEST_OPEN, Obstacle.DISCLOSURE_OPEN}
        _refuse(against_approval(standing_of(row)), at_once)
        _enter(PROPOSED, row, by, basis=basis.value)
        row.save(force_insert=True)
    return row


def tell(pk: UUID, student: Student, person: Person, language: str, *, by: User) -> Told:
    """Write the letter that tells a rights-holder (34 CFR 300.624(a)); its delivery is noted with the letter."""
    with one_deed():
        row = _locked(pk, State.PROPOSED)
        if (student, person) not in to_tell(row.about_pk, timezone.localdate()):
            raise DeedError("This person holds no rights over the records, as far as this archive knows.")
        if row.told.filter(student=student, person=person).exists():
            raise DeedError("The letter to this person was written already.")
        meeting = meetings_of(row.about_pk).filter(student=student).first()
        if meeting is None:
            raise DeedError("The recording is not surely filed under a meeting of this student.")
        values = {"meeting": _told_as(row, meeting, language), "reason": row.reason}
        letter = make_letter(
            LetterKind.DESTRUCTION,
            common(student, person, language) | values,
            by=by,
            student=student,
            person=person,
            language=language,
            about=row.subject,
        )
        _enter(TOLD, row, by, letter=str(letter.pk))
        return Told.objects.create(destruction=row, person=person, student=student, letter=letter)


def enter_reply(pk: UUID, told: UUID, reply: Reply, on: date, remark: str, *, by: User) -> Told:
    """Enter what a rights-holder answered. A later answer takes the place of an earlier one, which stays told.

    A second person approves what was answered by then, so an answer that comes afterwards ends the approval.
    """
    if on > timezone.localdate():
        raise DeedError("This day is still to come.", field="replied_on")
    with one_deed():
        row = _locked(pk, State.PROPOSED, State.APPROVED)
        one = row.told.select_for_update(of=("self",)).select_related("letter").filter(pk=told).first()
        if one is None:
            raise UnknownRecordError("there is no such letter here")
        _check_reply(one, reply, on)
        _enter(REPLY, row, by, told=str(one.pk), reply=reply.value)
        if one.reply and one.replied_on is not None:
            one.earlier.create(
                reply=one.reply,
                replied_on=one.replied_on,
                remark=one.remark,
                replaced_at=timezone.now(),
                replaced_by=by,
            )
        one.reply, one.replied_on, one.remark = reply, on, remark
        one.save(update_fields=["reply", "replied_on", "remark"])
        if row.state == State.APPROVED:
            _enter(OVERTAKEN, row, by)
            row.state, row.approved_at, row.approved_by = State.PROPOSED, None, None
            row.save(update_fields=["state", "approved_at", "approved_by"])
    return one


def approve(pk: UUID, *, by: User) -> Destruction:
    """Approve it, as a second person. Raises SecondPersonError, and DeedError for whatever stands against it."""
    with one_deed():
        row = _locked(pk, State.PROPOSED)
        require_second(
            [row.proposed_by_id], by, "You proposed it yourself. Ask a colleague to look at it and to approve it."
        )
        if row.proposed_by_id is None:
            raise DeedError("The account that proposed it was erased. Withdraw it, and propose it again.")
        _refuse(against_approval(standing_of(row)))
        _refuse_by_clock()
        _enter(APPROVED, row, by)
        row.state, row.approved_at, row.approved_by = State.APPROVED, timezone.now(), by
        row.save(update_fields=["state", "approved_at", "approved_by"])
    return row


def withdraw(pk: UUID, reason: str, *, by: User) -> Destruction:
    """Withdraw it; the recording is kept, and its destruction may be proposed again."""
    with one_deed():
        row = _locked(pk, State.PROPOSED, State.APPROVED)
        _enter(WITHDRAWN, row, by)
        row.state, row.withdrawn_at, row.withdrawn_by = State.WITHDRAWN, timezone.now(), by
        row.withdrawn_reason = reason
        row.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    return row


def carry_out(pk: UUID, *, by: User) -> Destruction:
    """Destroy the recording. Raises DeedError for whatever stands against it now; then nothing was changed.

    What is committed here is the decision; key, package and identifiers go right after the commit.
    """
    with one_deed():
        row = _locked(pk, State.PROPOSED, State.APPROVED)
        # holds lock the same row (records/holds), so that one of the two comes first
        recording = find_kept(row.about_pk, lock=True)
        standing = standing_of(row)
        _refuse(against_deed(standing))
        _refuse_by_clock()
        if None in {row.proposed_by_id, row.approved_by_id} or row.proposed_by_id == row.approved_by_id:
            raise SecondPersonError("Two people decide on a destruction; withdraw it, and propose it again.")
        _enter(DESTROYED, row, by, package_sha256=recording.package_sha256, basis=row.basis)
        row.state, row.closed_at, row.closed_by = State.CLOSING, timezone.now(), by
        row.series = "; ".join(standing.kept.series)
        row.save(update_fields=["state", "closed_at", "closed_by", "series"])
        recording.destroyed_at = row.closed_at
        recording.save(update_fields=["destroyed_at"])
        transaction.on_commit(lambda: finish(pk), robust=True)
    return row


def _check_reply(one: Told, reply: Reply, on: date) -> None:
    """Raise DeedError for an answer that cannot be; one that stands against the destruction is always taken."""
    if reply == Reply.SILENT and one.reply:
        raise DeedError("An answer of this person was entered, so there is one.", field="reply")
    if reply in STANDS_AGAINST:
        return
    delivered = one.letter.delivered_at if one.letter else None
    if delivered is None:
        raise DeedError("The letter was not delivered yet; note its delivery first.", field="reply")
    if on < timezone.localdate(delivered):
        raise DeedError("On this day the letter was not delivered yet.", field="replied_on")


def _told_as(row: Destruction, meeting: Meeting, language: str) -> str:
    """Return what a letter in `language` calls the recording: a meeting may have one of each kind."""
    if row.outside_id is None:
        return title(meeting)
    with translation.override(language):
        return f"{title(meeting)} ({row.called})"


def _refuse(found: list[Obstacle], only: set[Obstacle] | None = None) -> None:
    told = [str(OBSTACLES[one]) for one in found if only is None or one in only]
    if told:
        raise DeedError(" ".join(told))


def _refuse_by_clock() -> None:
    """Raise DeedError where the clock may be wrong: days of rest, of an answer and of a period are counted by it."""
    why = why_wrong()
    if why:
        raise DeedError(why)


def _enter(kind: Kind, row: Destruction, by: User, **detail: Detail) -> None:
    record(
        kind,
        actor=Actor.user(by.pk),
        subject=row.subject,
        destruction=str(row.pk),
        **detail,
    )


def _locked(pk: UUID, *states: State) -> Destruction:
    rows = Destruction.objects.select_for_update(of=("self",)).select_related("recording", "outside")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such destruction here")
    if row.state not in states:
        raise DeedError(f"This cannot be done any more: {State(row.state).label}.")
    return row
