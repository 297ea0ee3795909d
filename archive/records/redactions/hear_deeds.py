"""What of a redacted copy was sent to whom: the second listener must have been sent all of it to sign it off.

The custody log has the begin of each listening before its first sound, as of every other one, and at the sign-off how
much it was. That somebody's ears were there no software can say; the sign-off is that person's word for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import transaction
from django.utils import timezone

from archive.accounts.models import User
from archive.recordings.ranges import Span as Bytes

from .models import Hearing, Redaction
from .rules import Span, heard_with

NOTED_S = 20
"""Something longer is noted in between, so that a listener who goes away keeps what was heard, in seconds."""


def note_sent(row: Redaction, user: User, sent: Span) -> None:
    """Note that frames of a copy as it is now were sent to somebody's player."""
    now = timezone.now()
    with transaction.atomic():
        kept, _ = Hearing.objects.select_for_update().get_or_create(
            redaction=row, user=user, sha256=row.sha256, defaults={"began_at": now}
        )
        heard = tuple(Span(first, last) for first, last in kept.spans)
        elapsed = (now - kept.began_at).total_seconds()
        spans = heard_with(heard, sent, elapsed_s=elapsed, rate=row.recording.rate)
        kept.spans = [[one.first, one.last] for one in spans]
        kept.save(update_fields=["spans"])


def counted(
    row: Redaction, user: User, pieces: Iterator[bytes], span: Bytes, frame_at: Callable[[int], int]
) -> Iterator[bytes]:
    """Yield `pieces`, which are the bytes `span` of the copy's WAV file, and note what was taken of them.

    `frame_at` tells the frame that a byte belongs to. Whoever asks for the next piece took this one. A server that has
    sent as much as it announced may not ask any more: so the last one of the span is taken once it is handed over.
    """
    at, noted = span.start, frame_at(span.start)
    handed = 0
    try:
        for piece in pieces:
            handed = len(piece)
            yield piece
            at, handed = at + handed, 0
            if frame_at(at) - noted >= NOTED_S * row.recording.rate:
                note_sent(row, user, Span(noted, frame_at(at)))
                noted = frame_at(at)
    finally:
        if at + handed == span.stop:
            at = span.stop
        if frame_at(at) > noted:
            note_sent(row, user, Span(noted, frame_at(at)))
