"""What redacted copies are made of, how they are read, and what parents hear of their recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from appliance.contract.ledger import Gap
from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.find import check_not_destroyed
from archive.recordings.models import Recording
from archive.recordings.parts import Part, Parts
from archive.recordings.secrets import secret_of
from archive.recordings.stored_ledger import sealed_facts
from archive.records.errors import DeedError
from archive.records.meetings.reach import parts_about
from archive.records.outside_recordings.either import students_of
from archive.records.restrictions.reach import restricted
from archive.store.base import open_object
from archive.store.current import store

from .derivative_file import DerivativeFacts, DerivativeReader
from .models import Passage, Redaction, State
from .rules import Span, Spans, common, merged, minus, outside
from .sound import How, Plan

_HEARD = frozenset({Deed.LISTEN, Deed.DOWNLOAD})


class NotSignedOffError(DeedError):
    """A redacted copy leaves the archive by no way before a second listener signed it off."""

    code = "not-signed-off"


def signed_off(recording: str) -> Q:
    """Return the condition that a redacted copy of a recording may be handed out."""
    return Q(recording=recording, state=State.SIGNED)


def spans_of(row: Redaction) -> Spans:
    """Return where a redacted copy leaves something out."""
    return merged(Span(one.first_frame, one.last_frame) for one in row.passages.all())


def spans_typed(row: Redaction) -> Spans:
    """Return where people entered that it leaves something out, without what the archive added by itself."""
    return merged(Span(one.first_frame, one.last_frame) for one in row.passages.all() if not one.by_archive)


def spans_in(parts: Parts, frames: int) -> Spans:
    """Return parts of a recording of so many frames as spans."""
    return merged(Span(one.first, frames if one.last is None else one.last) for one in parts)


def parts_of(spans: Spans) -> Parts:
    """Return spans as parts of their recording."""
    return tuple(Part(one.first, one.last) for one in spans)


def of_the_archive(row: Redaction) -> Iterator[tuple[Span, str]]:
    """Yield what a copy leaves out whatever people entered: each span with its basis and reason, by their codes.

    What is restricted now; and for a student's parents, what is not filed under a meeting of that student now (34 CFR
    99.12(a)).
    """
    recording, frames = row.recording, row.recording.frames
    for one in spans_in(tuple(restricted(recording.pk)), frames):
        yield one, "restricted"
    filed = None if row.student_id is None else parts_about(row.student_id, recording.pk)
    if filed is not None:
        for one in outside(spans_in(filed, frames), frames):
            yield one, "other-student"


def silent_since(row: Redaction) -> list[tuple[Span, str]]:
    """Return what of a copy is silent when it leaves beside its passages, each span with its code as above.

    It was restricted, or filed under another student's meeting, after the copy was made: a sign-off is no leave to
    hand that out (34 CFR 99.12(a)).
    """
    passages = spans_of(row)
    return [(left, code) for span, code in of_the_archive(row) for left in minus([span], passages)]


def gaps_of(row: Recording) -> Spans:
    """Return where a sealed recording has silence in place of lost sound; a line of the ledger in memory at a time.

    Raises DigestError if the ledger is not the one that the receipt names.
    """
    return merged(
        Span(fact.first_frame, fact.first_frame + fact.frames)
        for one in sealed_facts(row, ("gap",))
        if isinstance(fact := one.fact, Gap)
    )


def plan_of(row: Redaction) -> Plan:
    """Return what a redacted copy is made of."""
    passages = [(Span(one.first_frame, one.last_frame), How(one.how)) for one in row.passages.all()]
    return Plan(row.recording.frames, row.recording.rate, tuple(passages), gaps_of(row.recording))


def facts_of_file(row: Redaction) -> DerivativeFacts:
    """Return what the file of a redacted copy says of itself."""
    return DerivativeFacts(row.recording_id, row.pk.hex, row.recording.rate, row.recording.frames)


@contextmanager
def opened(row: Redaction) -> Iterator[DerivativeReader]:
    """Open a redacted copy that was made. Whoever lets a person hear it makes the custody entry first.

    Raises DestroyedError, StorageError where it is gone, DigestError or FormatError where it is damaged.
    """
    check_not_destroyed(row.recording)
    if row.state not in {State.MADE, State.SIGNED}:
        raise DeedError("There is no redacted copy to listen to: it is not made, or it was withdrawn.")
    with open_object(store(), row.object) as file:
        yield DerivativeReader(file, facts_of_file(row), row.manifest_sha256, lambda: secret_of(row.recording_id))


def for_handing_out(row: Redaction) -> Redaction:
    """Return a redacted copy that may leave the archive; raise NotSignedOffError for any other."""
    if row.state != State.SIGNED:
        raise NotSignedOffError("This redacted copy is not signed off by a second listener, or it was withdrawn.")
    return row


def heard_by_parents(user: User, deed: Deed, recording: str) -> Parts | None:
    """Return what a parent hears where a redacted copy for the parents of a child of theirs bounds it; None: no bound.

    In its passages they hear silence, in the player and in what they load; whoever makes such copies hears all. Of two
    children in one recording, a parent hears the part about each (34 CFR 99.12(a)).
    """
    if deed not in _HEARD:
        return None
    rows = bounding(Q(recording=recording))
    if not rows or may(user, Deed.REDACT, Subject.recording(recording)).allowed:
        return None
    held = {scope.id for scope in reach_of(user, Deed.OWN).scopes if scope.type == ScopeType.STUDENT}
    return _left_in(recording, [one.pk for one in students_of(recording) if str(one.pk) in held], rows)


def left_in_about(student: UUID, recording: str) -> Parts | None:
    """Return what the copies for one student's parents leave in; None: there is none."""
    return _left_in(recording, [student], bounding(Q(recording=recording)))


def bounding(which: Q) -> list[Redaction]:
    """Return the copies, of those that fulfil `which`, in whose passages a student's parents hear nothing.

    One that was signed off bounds them until it is withdrawn, and the last one of a student also after that: what two
    people left out, one alone does not let them hear again (34 CFR 99.12(a)). A later one takes its place, or a second
    person lifts it.
    """
    later = Redaction.objects.filter(
        recording=OuterRef("recording"), student=OuterRef("student"), signed_at__gt=OuterRef("signed_at")
    )
    rows = Redaction.objects.filter(which, student__isnull=False, signed_at__isnull=False, lifted_at=None)
    found = rows.filter(Q(state=State.SIGNED) | ~Exists(later))
    return list(found.select_related("recording").prefetch_related("passages"))


def _left_in(recording: str, students: Sequence[UUID], rows: Sequence[Redaction]) -> Parts | None:
    """Return what the copies for these students' parents leave in; None: none of `rows` is for them.

    Of each student's part, what its copies leave in. Where it has none yet, what somebody cut out of a sibling's part
    stays silent: nobody decided that it may be heard. What is filed under none of them is not bounded here.
    """
    mine = [one for one in rows if one.student_id in students]
    if not mine:
        return None
    frames = mine[0].recording.frames
    filed: dict[UUID | None, Spans] = {one: _spans_about(one, recording, frames) for one in students}
    cut = [span for one in mine for span in common(filed[one.student_id], spans_typed(one))]
    heard = list(outside([span for spans in filed.values() for span in spans], frames))
    for student, spans in filed.items():
        own = [span for one in mine if one.student_id == student for span in spans_of(one)]
        # a copy has at least one passage
        heard += minus(spans, own or cut)
    return parts_of(merged(heard))


def _spans_about(student: UUID, recording: str, frames: int) -> Spans:
    found = parts_about(student, recording)
    return (Span(0, frames),) if found is None else spans_in(found, frames)


def passages_of(row: Redaction) -> list[Passage]:
    """Return a copy's passages, in order of the recording."""
    return list(row.passages.select_related("entered_by"))
