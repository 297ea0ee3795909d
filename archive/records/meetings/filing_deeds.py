"""Filing recordings under meetings. Wrong filing is the worst mistake, so it takes two, and stays told.

Two agree on every filing: placement and time with one person, or two persons. Two agree on every end of a confirmed
one; one that nobody confirmed ends with the first who says that it is wrong. What one person says is wrong opens
nothing any more, from that moment on.

Whoever files locks the recording first, so no two filings of one recording are decided at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.second_person import require_second

from .custody_kinds import FILED, FILING_CONFIRMED, FILING_DOUBTED, FILING_ENDED, FILING_KEPT
from .models import Filing, Meeting
from .tray import SHOWN, fitting_meetings, unfiled


@dataclass(frozen=True)
class Part:
    """A part of a recording; None at an end means the recording's own."""

    first_frame: int | None = None
    last_frame: int | None = None
    """First frame behind it."""


WHOLE = Part()
PROPOSE_S = 15.0
"""How often the worker files by room and time, in seconds."""


def propose(recording: Recording) -> Filing | None:
    """File a recording under the only meeting that fits by room and time; one person must confirm it still."""
    with one_deed():
        recording = _locked_recording(recording)
        if Filing.objects.filter(recording=recording).exists():
            return None
        found = fitting_meetings(recording)
        return _file(recording, found[0], WHOLE, ARCHIVE, None) if len(found) == 1 else None


def propose_all(stop: StopSignal) -> int:
    """Propose for each recording that nobody filed ever and that one meeting fits; return how many were proposed."""
    never = unfiled().filter(filings=None).exclude(room=None)[:SHOWN]
    done = 0
    for recording in never:
        if stop.is_set():
            break
        # this looks without a lock, because most of them fit no meeting, now or ever
        if len(fitting_meetings(recording)) == 1:
            done += propose(recording) is not None
    return done


def file_under(recording: Recording, meeting: Meeting, part: Part = WHOLE, *, by: User) -> Filing:
    """File a recording, or a part of it, under a meeting; a second person must confirm it."""
    with one_deed():
        meeting = Meeting.objects.select_for_update().get(pk=meeting.pk)
        recording = _locked_recording(recording)
        if meeting.cancelled_at is not None:
            raise DeedError("This meeting was canceled. Choose another one.", field="meeting")
        if Filing.objects.filter(recording=recording, meeting=meeting, ended_at=None).exists():
            raise DeedError("It is filed under this meeting already.", field="meeting")
        _check_part(recording, part)
        return _file(recording, meeting, part, Actor.user(by.pk), by)


def confirm(pk: UUID, *, by: User) -> Filing:
    """Confirm what another person, or room and time, said. Raises SecondPersonError for the one who filed it."""
    with one_deed():
        filing = _locked(pk)
        if filing.confirmed_at is not None:
            raise DeedError("It was confirmed already.")
        require_second(
            [filing.filed_by_id], by, "You filed it yourself. Ask a colleague to look at it and to confirm it."
        )
        record(FILING_CONFIRMED, actor=Actor.user(by.pk), subject=_subject(filing), **_detail(filing))
        filing.confirmed_at, filing.confirmed_by = timezone.now(), by
        filing.save(update_fields=["confirmed_at", "confirmed_by"])
    return filing


def call_wrong(pk: UUID, reason: str, *, by: User) -> Filing:
    """Say that a filing is wrong: access through it ends now. One that nobody confirmed ends at once."""
    with one_deed():
        filing = _locked(pk)
        if filing.end_asked_at is not None:
            raise DeedError("Somebody said so already; a second person must agree.")
        now = timezone.now()
        record(FILING_DOUBTED, actor=Actor.user(by.pk), subject=_subject(filing), **_detail(filing))
        filing.end_asked_at, filing.end_asked_by, filing.end_reason = now, by, reason
        if filing.confirmed_at is None:
            record(FILING_ENDED, actor=Actor.user(by.pk), subject=_subject(filing), **_detail(filing))
            filing.ended_at, filing.ended_by = now, by
        filing.save(update_fields=["end_asked_at", "end_asked_by", "end_reason", "ended_at", "ended_by"])
    return filing


def agree_wrong(pk: UUID, *, by: User) -> Filing:
    """Agree, as a second person, that a filing is wrong; it ends, and the recording waits in the tray again."""
    with one_deed():
        filing = _doubted(pk, by)
        record(FILING_ENDED, actor=Actor.user(by.pk), subject=_subject(filing), **_detail(filing))
        filing.ended_at, filing.ended_by = timezone.now(), by
        filing.save(update_fields=["ended_at", "ended_by"])
    return filing


def keep(pk: UUID, *, by: User) -> Filing:
    """Say, as a second person, that a filing is right after all; people reach the recording through it again."""
    with one_deed():
        filing = _doubted(pk, by)
        record(FILING_KEPT, actor=Actor.user(by.pk), subject=_subject(filing), **_detail(filing))
        filing.end_asked_at, filing.end_asked_by, filing.end_reason = None, None, ""
        filing.save(update_fields=["end_asked_at", "end_asked_by", "end_reason"])
    return filing


def _file(recording: Recording, meeting: Meeting, part: Part, actor: Actor, by: User | None) -> Filing:
    filing = Filing(
        recording=recording,
        meeting=meeting,
        first_frame=part.first_frame,
        last_frame=part.last_frame,
        filed_at=timezone.now(),
        filed_by=by,
    )
    record(
        FILED,
        actor=actor,
        subject=_subject(filing),
        first_frame=part.first_frame,
        last_frame=part.last_frame,
        **_detail(filing),
    )
    filing.save(force_insert=True)
    return filing


def _locked_recording(recording: Recording) -> Recording:
    return Recording.objects.select_for_update().defer("header", "receipt").get(pk=recording.pk)


def _check_part(recording: Recording, part: Part) -> None:
    first, last = part.first_frame or 0, part.last_frame if part.last_frame is not None else recording.frames
    if not 0 <= first < last <= max(recording.frames, 1):
        length = timedelta(seconds=int(recording.seconds))
        raise DeedError(f"The part must lie inside the recording, which is {length} long.", field="last")
    for other in Filing.objects.filter(recording=recording, ended_at=None):
        begin = other.first_frame or 0
        end = other.last_frame if other.last_frame is not None else recording.frames
        if first < end and begin < last:
            raise DeedError("This part is filed under another meeting already; end that filing first.", field="first")


def _locked(pk: UUID) -> Filing:
    filing = Filing.objects.select_for_update().filter(pk=pk, ended_at=None).first()
    if filing is None:
        raise UnknownRecordError("there is no such filing here, or it was ended")
    return filing


def _doubted(pk: UUID, by: User) -> Filing:
    filing = _locked(pk)
    if filing.end_asked_at is None:
        raise DeedError("Nobody said that this filing is wrong.")
    require_second([filing.end_asked_by_id], by, "You said so yourself. Ask a colleague to look at it.")
    return filing


def _subject(filing: Filing) -> Subject:
    return Subject.recording(filing.recording_id)


def _detail(filing: Filing) -> dict[str, str]:
    return {"meeting": str(filing.meeting_id), "filing": str(filing.pk)}
