"""Redacted copies, from the first passage to the sign-off: each deed with its custody entry in one transaction.

The worker makes what was asked for (make_deeds); what somebody listened to is counted by hear_deeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import after_commit, one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.kinds import Kind
from archive.custody.log import Detail, record
from archive.custody.models import Entry
from archive.recordings.custody_kinds import LISTEN
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import Recording
from archive.recordings.models import State as Recorded
from archive.recordings.parts import audible
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.holds.reach import why_held
from archive.records.outside_recordings.either import students_of
from archive.records.people.models import Student
from archive.records.second_person import require_second, why_not_second
from archive.store.current import store

from . import custody_kinds as kinds
from .models import Basis, Hearing, Passage, Redaction, State
from .reach import bounding, of_the_archive, spans_in, spans_of
from .rules import Span, Spans, length, minus, outside, time_was_enough
from .sound import How

MOST: Final = 1000
"""Passages of one copy; more than a meeting of a day has sentences that must go."""
_MADE_IT: Final = "You made this copy yourself. A colleague who had no part in it must listen to it and sign it off."
_WITHDREW_IT: Final = (
    "You withdrew this copy yourself. A colleague must decide that parents hear again what it left out."
)
_ARCHIVES: Final = {
    "restricted": (Basis.RESTRICTED, "It was restricted when this copy was made."),
    "other-student": (Basis.OTHER_STUDENT, "It is filed under no meeting of this student."),
}


@dataclass(frozen=True)
class PassageFacts:
    """What is taken out."""

    first: int
    """Its first frame."""
    last: int | None
    """First frame behind it; None: the recording's end."""
    how: How
    basis: Basis
    reason: str


def begin(recording: str, purpose: str, student: Student | None, *, by: User) -> Redaction:
    """Begin a redacted copy of a sealed recording, for a student's parents or for nobody's."""
    with one_deed():
        found = _recording(recording)
        if found.state != Recorded.SEALED:
            raise DeedError("It is not sealed yet.")
        if student is not None and student not in students_of(recording):
            raise DeedError("This recording is filed under no meeting of this student.", field="student")
        row = Redaction(recording=found, purpose=purpose, student=student, begun_at=timezone.now(), begun_by=by)
        _enter(kinds.BEGUN, row, by)
        row.save(force_insert=True)
    return row


def enter_passage(recording: str, pk: UUID, facts: PassageFacts, *, by: User) -> Passage:
    """Enter what shall be left out. Raises DeedError for a passage outside of the recording, or one that is there."""
    with one_deed():
        row = _locked(recording, pk, State.DRAFT)
        frames = row.recording.frames
        last = frames if facts.last is None else facts.last
        if not 0 <= facts.first < last <= frames:
            long = timedelta(seconds=int(row.recording.seconds))
            raise DeedError(
                f"The passage must lie inside the recording, which is {long} long. To reach its end, leave To empty.",
                field="last",
            )
        if row.passages.count() >= MOST:
            raise DeedError(f"A copy has at most {MOST} passages; join some that stand close together.")
        made = Passage(
            redaction=row,
            first_frame=facts.first,
            last_frame=last,
            how=facts.how,
            basis=facts.basis,
            reason=facts.reason,
            entered_at=timezone.now(),
            entered_by=by,
        )
        same = {"first_frame": facts.first, "last_frame": last, "how": facts.how, "basis": facts.basis}
        if row.passages.filter(**same).exists():
            raise DeedError("This passage is there already.", field="first")
        _enter_passage(row, made, Actor.user(by.pk))
    return made


def remove_passage(recording: str, pk: UUID, passage: UUID, *, by: User) -> None:
    """Take a passage out of the list, before the copy is made."""
    with one_deed():
        row = _locked(recording, pk, State.DRAFT)
        found = row.passages.filter(pk=passage).first()
        if found is None:
            raise UnknownRecordError("there is no such passage here, or it was taken out")
        _enter(kinds.PASSAGE_REMOVED, row, by, passage=passage.hex)
        found.delete()


def ask(recording: str, pk: UUID, *, by: User) -> Redaction:
    """Have the worker make the copy. What is restricted now, or of other students alone, is left out as well."""
    with one_deed():
        row = _locked(recording, pk, State.DRAFT)
        for span, code in of_the_archive(row):
            basis, reason = _ARCHIVES[code]
            made = Passage(
                redaction=row,
                first_frame=span.first,
                last_frame=span.last,
                how=How.MUTE,
                basis=basis,
                reason=reason,
                entered_at=timezone.now(),
                by_archive=True,
            )
            same = {"first_frame": span.first, "last_frame": span.last, "how": How.MUTE, "basis": basis}
            if not row.passages.filter(**same).exists():
                _enter_passage(row, made, ARCHIVE)
        if not row.passages.exists():
            raise DeedError("Enter first what shall be left out: a copy without passages is the recording itself.")
        _enter(kinds.ASKED, row, by)
        row.state, row.asked_at, row.asked_by, row.problem = State.ASKED, timezone.now(), by, ""
        row.working_at, row.done, row.of = None, 0, 0
        row.save(update_fields=["state", "asked_at", "asked_by", "problem", "working_at", "done", "of"])
    return row


def reopen(recording: str, pk: UUID, *, by: User) -> Redaction:
    """Go back to the passages of a copy that is not signed off: what was made of it is dropped, and made anew.

    Raises DeedError while the recording is on hold: nothing that was made of it is dropped then.
    """
    with one_deed():
        row = _locked(recording, pk, State.ASKED, State.FAILED, State.MADE)
        made = row.object
        if made and why_held(recording):
            raise DeedError("The recording is on hold, and so is what was made of it. Begin another redacted copy.")
        _enter(kinds.REOPENED, row, by)
        row.state, row.asked_at, row.asked_by, row.working_at, row.problem = State.DRAFT, None, None, None, ""
        row.object, row.size, row.sha256, row.manifest_sha256, row.audio_md5 = "", 0, "", "", ""
        row.outside, row.inside, row.made_at, row.made_entry = 0, 0, None, None
        row.save()
        row.passages.filter(by_archive=True).delete()
        if made:
            after_commit(lambda: store().remove(made))
    return row


def not_heard_yet(row: Redaction, user: User) -> Spans:
    """Return what of a copy somebody has still to listen to: all outside of its passages."""
    heard = Hearing.objects.filter(redaction=row, user=user, sha256=row.sha256).first()
    known = [Span(first, last) for first, last in heard.spans] if heard else []
    return minus(outside(spans_of(row), row.recording.frames), known)


def _makers(row: Redaction) -> set[UUID | None]:
    return {row.begun_by_id, row.asked_by_id, *row.passages.values_list("entered_by", flat=True)}


def why_not_signed_off_by(row: Redaction, user: User) -> str:
    """Return why this person cannot sign a copy off now, or an empty text."""
    if row.state != State.MADE:
        return "It is not made, or it was signed off or withdrawn."
    if why := why_not_second(_makers(row), user, _MADE_IT):
        return why
    needed = outside(spans_of(row), row.recording.frames)
    bound = audible(user, Deed.REDACT, row.recording_id)
    if bound is not None and minus(needed, spans_in(bound, row.recording.frames)):
        return "You may hear a part of this recording only. Somebody who may hear all of it must sign it off."
    left = length(not_heard_yet(row, user))
    if left:
        return (
            f"You have not listened to all of it: {max(round(left / row.recording.rate), 1)} s are left, or were "
            "loaded faster than they can be heard. This page shows where they are."
        )
    heard = _first_listen(row, user)
    hearing = Hearing.objects.filter(redaction=row, user=user, sha256=row.sha256).first()
    elapsed = (timezone.now() - hearing.began_at).total_seconds() if hearing else 0.0
    if needed and (heard is None or not time_was_enough(needed, elapsed_s=elapsed, rate=row.recording.rate)):
        return "So much sound cannot have been heard since you began. Listen to it, then sign it off."
    return ""


def sign_off(recording: str, pk: UUID, *, by: User) -> Redaction:
    """Sign a copy off as a second listener: from then on it may leave. Raises SecondPersonError for whoever made it.

    Raises DeedError for somebody who was not sent all that is left of the original, at no more than double speed; the
    begin of that listening must be in the custody log, and how much it was goes into the entry.
    """
    with one_deed():
        row = _locked(recording, pk, State.MADE)
        require_second(_makers(row), by, _MADE_IT)
        if why := why_not_signed_off_by(row, by):
            raise DeedError(why)
        hearing = Hearing.objects.filter(redaction=row, user=by, sha256=row.sha256).first()
        now = timezone.now()
        row.heard_s = length(Span(*one) for one in hearing.spans) // row.recording.rate if hearing else 0
        row.took_s = int((now - hearing.began_at).total_seconds()) if hearing else 0
        _enter(kinds.SIGNED, row, by, sha256=row.sha256, heard_s=row.heard_s, took_s=row.took_s)
        row.state, row.signed_at, row.signed_by = State.SIGNED, now, by
        row.save(update_fields=["state", "signed_at", "signed_by", "heard_s", "took_s"])
    return row


def withdraw(recording: str, pk: UUID, reason: str, *, by: User) -> Redaction:
    """Withdraw a copy: nothing of it leaves any more. What was signed off, or is on hold, stays in the store.

    A student's parents go on hearing silence in the passages of one that was signed off (reach.bounding).
    """
    with one_deed():
        row = _locked(recording, pk, *[one for one in State if one != State.WITHDRAWN])
        drop = row.object if row.signed_at is None and not why_held(recording) else ""
        _enter(kinds.WITHDRAWN, row, by)
        row.state, row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = (
            *(State.WITHDRAWN, timezone.now(), by),
            reason,
        )
        if drop:
            row.object = ""
            after_commit(lambda: store().remove(drop))
        row.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdrawn_reason", "object"])
    return row


def lift(recording: str, pk: UUID, *, by: User) -> Redaction:
    """Let a student's parents hear again what a withdrawn copy left out: the second of two people says so.

    34 CFR 99.12(a): what two people found to be about another child, one alone lets nobody hear. Raises
    SecondPersonError for whoever withdrew it, DeedError for a copy that bounds nobody.
    """
    with one_deed():
        row = _locked(recording, pk, State.WITHDRAWN)
        if row.pk not in {one.pk for one in bounding(Q(recording=row.recording_id))}:
            raise DeedError("No parents hear silence because of this copy.")
        require_second([row.withdrawn_by_id], by, _WITHDREW_IT)
        _enter(kinds.LIFTED, row, by)
        row.lifted_at, row.lifted_by = timezone.now(), by
        row.save(update_fields=["lifted_at", "lifted_by"])
    return row


def enter_log_opened(row: Redaction, page: str, *, by: User) -> None:
    """Enter that somebody opened or printed the exemption log, before it is shown."""
    with one_deed():
        check_not_destroyed(row.recording)
        _enter(kinds.LOG, row, by, page=page)


def _first_listen(row: Redaction, user: User) -> Entry | None:
    """Return the custody entry of this person's first listening to the copy as it is."""
    entries = Entry.objects.about(Subject.recording(row.recording_id)).filter(
        code=LISTEN.code, actor_type="user", actor_id=str(user.pk), n__gt=row.made_entry or 0
    )
    return next((one for one in entries.order_by("n") if one.member("redaction") == row.pk.hex), None)


def _recording(recording: str) -> Recording:
    found = find(recording, lock=True)
    check_not_destroyed(found)
    return found


def _locked(recording: str, pk: UUID, *states: State) -> Redaction:
    """Return a copy in one of these states, locked behind its recording; raise UnknownRecordError or DeedError."""
    found = _recording(recording)
    row = Redaction.objects.select_for_update(of=("self",)).filter(pk=pk, recording=found).first()
    if row is None:
        raise UnknownRecordError("there is no such redacted copy here")
    row.recording = found
    if row.state not in states:
        raise DeedError(f"This cannot be done now: the copy is “{State(row.state).label}”. Load its page again.")
    return row


def _enter_passage(row: Redaction, made: Passage, actor: Actor) -> None:
    record(
        kinds.PASSAGE,
        actor=actor,
        subject=Subject.recording(row.recording_id),
        redaction=row.pk.hex,
        passage=made.pk.hex,
        first_frame=made.first_frame,
        last_frame=made.last_frame,
        basis=str(made.basis),
    )
    made.save(force_insert=True)


def _enter(kind: Kind, row: Redaction, by: User, **detail: Detail) -> None:
    record(kind, actor=Actor.user(by.pk), subject=Subject.recording(row.recording_id), redaction=row.pk.hex, **detail)
