"""What redacted copies are made of, how they are read, and what parents hear of their recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce

from django.db.models import Q

from appliance.contract.errors import DigestError
from appliance.contract.ledger import Entry, Gap
from appliance.contract.package import PAYLOAD, TAG_FILES
from appliance.contract.receipt import Receipt
from appliance.contract.zip_profile import leading_members
from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.find import check_not_destroyed
from archive.recordings.models import Recording
from archive.recordings.parts import Part, Parts, both
from archive.recordings.secrets import secret_of
from archive.records.errors import DeedError
from archive.records.meetings.reach import in_force
from archive.records.restrictions.reach import restricted
from archive.store.base import open_object
from archive.store.current import store

from .derivative_file import DerivativeFacts, DerivativeReader
from .models import Passage, Redaction, State
from .rules import Span, Spans, merged, outside
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


def spans_in(parts: Parts, frames: int) -> Spans:
    """Return parts of a recording of so many frames as spans."""
    return merged(Span(one.first, frames if one.last is None else one.last) for one in parts)


def of_the_archive(row: Redaction) -> Iterator[tuple[Span, str]]:
    """Yield what a copy leaves out whatever people entered: each span with its basis and reason, by their codes.

    What is restricted now; and for a student's parents, what is filed under meetings of other students alone.
    """
    recording, frames = row.recording, row.recording.frames
    for one in spans_in(tuple(restricted(recording.pk)), frames):
        yield one, "restricted"
    if row.student_id is None:
        return
    own = in_force().filter(recording=recording, meeting__student=row.student_id)
    if any(one.first_frame is None and one.last_frame is None for one in own):
        return
    filed = [Part(one.first_frame or 0, one.last_frame) for one in own]
    for one in outside(spans_in(tuple(filed), frames), frames):
        yield one, "other-student"


def gaps_of(row: Recording) -> Spans:
    """Return where a sealed recording has silence in place of lost sound; a line of the ledger in memory at a time.

    Raises DigestError if the ledger is not the one that the receipt names.
    """
    found, sha256 = [], hashlib.sha256()
    feed = sha256.update
    with open_object(store(), row.package) as file:
        members = leading_members(file, len(TAG_FILES) + len(PAYLOAD))
        ledger = members[[*TAG_FILES, *PAYLOAD].index("data/ledger.tsv")]
        file.seek(ledger.offset)
        left = ledger.size
        while left > 0 and (line := file.readline(left)):
            left -= len(line)
            feed(line)
            # to read each of 60,000 lines takes longer than to make the copy
            fact = Entry.read(line, None).fact if b'"gap"' in line else None
            if isinstance(fact, Gap):
                found.append(Span(fact.first_frame, fact.first_frame + fact.frames))
    if sha256.hexdigest() != Receipt.read(bytes(row.receipt or b""), None).ledger_sha256:
        raise DigestError(f"the ledger in the package of {row.pk} is not the one that the receipt names")
    return merged(found)


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
    """Return what a parent hears where a redacted copy for that student's parents was signed off; None: no bound.

    In its passages they hear silence, in the player and in what they load; whoever makes such copies hears all.
    """
    if deed not in _HEARD:
        return None
    rows = list(Redaction.objects.filter(signed_off(recording), student__isnull=False).select_related("recording"))
    if not rows or may(user, Deed.REDACT, Subject.recording(recording)).allowed:
        return None
    own = reach_of(user, Deed.OWN).scopes
    bounds = [_kept(one) for one in rows if Scope.student(one.student_id) in own]
    return reduce(both, bounds) if bounds else None


def _kept(row: Redaction) -> Parts:
    return tuple(Part(one.first, one.last) for one in outside(spans_of(row), row.recording.frames))


def passages_of(row: Redaction) -> list[Passage]:
    """Return a copy's passages, in order of the recording."""
    return list(row.passages.select_related("entered_by"))
