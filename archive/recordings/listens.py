"""The custody entries of listening: one at the first sound of each opened page, and what of it was sent then.

What is asked for is not what is sent: a player seeks, a browser drops an answer in its middle. So each answer notes
how far its sound may go before it goes there (`Sending`), and takes back at its end what did not go. Of a server that
is killed at most one note more than was sent is left. What was sent is entered when the listening has been still for a
while, and in any case before the log is shown: so a listening makes few entries, however often it seeks.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final, Self

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import Detail, record

from .custody_kinds import HEARD, LISTEN
from .models import PageView, Recording, Sending
from .parts import Parts, within
from .ranges import Span
from .spans import Frames, as_text, in_seconds, joined

VALID = timedelta(hours=12)
"""How long a page's player counts as one listening; longer than a sign-in lasts."""
STILL: Final = timedelta(minutes=10)
"""What was sent is entered when nothing more was sent for so long."""
LOST: Final = timedelta(hours=1)
"""An answer that has noted nothing for so long has ended without its end: each part is taken within a minute."""
AHEAD: Final = 2 << 20
"""An answer notes so many bytes ahead: as many as a player is sent at once."""
MOST_LOOKS: Final = 20
"""Most entries of one listening that looks at the log bring about; what is sent after them is entered at its end."""
LOOK_S: Final = 60.0
"""How often the worker looks for listenings that are still, in seconds."""
_log = logging.getLogger(__name__)


def open_page(user: User, recording: Recording) -> str:
    """Remember that a page was opened, forget those of the past, and return the token for its player."""
    token = secrets.token_hex(16)
    with transaction.atomic():
        old = PageView.objects.filter(opened_at__lt=timezone.now() - VALID)
        old.filter(sent_at=None, sendings__isnull=True).delete()
        PageView.objects.create(token=token, user=user, recording=recording)
    return token


def enter(user: User, recording: Recording, token: str, second: int, **what: Detail) -> PageView:
    """Make the `listen` entry if this is the first audio of a page view, and return the view on which to count.

    A request with no token of this user's for this recording is no page's player: each makes an entry of its own, so
    that nothing is heard without one. `what` are members of that entry: a redacted copy that is heard instead.
    """
    now = timezone.now()
    with one_deed():
        mine = PageView.objects.filter(token=token, user=user, recording=recording, opened_at__gte=now - VALID)
        # the condition in the UPDATE lets only one of several simultaneous requests be the first
        first = mine.filter(heard_at=None).update(heard_at=now)
        view = mine.first()
        if view is not None and not first:
            return view
        entry = record(
            LISTEN,
            actor=Actor.user(user.pk),
            subject=Subject.recording(recording.pk),
            from_second=second,
            how="player" if view else "direct address",
            **what,
        )
        if view is None:
            return PageView.objects.create(
                token=secrets.token_hex(16), user=user, recording=recording, heard_at=now, entry=entry.n, once=True
            )
        view.entry = entry.n
        view.save(update_fields=["entry"])
    return view


class Sent:
    """The bytes of an answer on their way to a player: notes what of the sound goes out, before it does.

    What is handed to the connection counts as sent. For one thread at a time.
    """

    def __init__(
        self,
        view: PageView,
        pieces: Iterator[bytes],
        span: Span,
        *,
        frame_at: Callable[[int], int],
        parts: Parts | None = None,
    ) -> None:
        """Count `pieces`, which are the bytes `span` of a WAV file, on `view`.

        `frame_at` tells the frame that a byte belongs to. What is in none of `parts` goes out as silence, and is none
        of the recording's sound.
        """
        self._view = view
        self._pieces = pieces
        self._frame_at = frame_at
        self._parts = parts
        self._first = frame_at(span.start)
        self._stop = span.stop
        self._at = self._noted = span.start
        self._row: Sending | None = None
        self._over = False

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece, noted before."""
        try:
            piece = next(self._pieces)
        except StopIteration:
            self.close()
            raise
        self._at += len(piece)
        if self._at > self._noted:
            self._note(min(max(self._at, self._noted + AHEAD), self._stop))
        return piece

    def close(self) -> None:
        """Note what went out, and no more; what cannot be noted stays as it was noted ahead."""
        if self._over:
            return
        self._over = True
        if hasattr(self._pieces, "close"):
            self._pieces.close()
        if self._row is None:
            return
        try:
            _take_back(self._row, self._last(self._at), self._parts)
        except DatabaseError:
            _log.exception("what was sent of a recording could not be noted; it is entered as noted ahead")

    def _note(self, to: int) -> None:
        self._noted = to
        if self._row is None:
            self._row = Sending.objects.create(view=self._view, first_frame=self._first, last_frame=self._last(to))
        else:
            self._row.last_frame = self._last(to)
            self._row.save(update_fields=["last_frame", "at"])

    def _last(self, position: int) -> int:
        """Return the first frame of which no byte lies before `position`."""
        return self._frame_at(position + 1)


def _take_back(row: Sending, last: int, parts: Parts | None) -> None:
    with transaction.atomic():
        view = PageView.objects.select_for_update().filter(pk=row.view_id).first()
        # whoever entered it meanwhile took it as it was noted
        if view is None or not Sending.objects.filter(pk=row.pk).delete()[0]:
            return
        sent = [(row.first_frame, last)] if parts is None else within(parts, row.first_frame, last)
        _add(view, sent)
    if view.once:
        settle([view.pk])


def _add(view: PageView, sent: Sequence[Frames]) -> None:
    view.spans = joined([*((first, last) for first, last in view.spans), *sent])
    view.sent_at = timezone.now() if view.spans else None
    view.save(update_fields=["spans", "sent_at"])


def settle(views: Sequence[str]) -> int:
    """Enter what was sent to these views and is not entered yet; return how many entries that made."""
    made = 0
    with one_deed():
        rows = PageView.objects.select_for_update().filter(pk__in=views).order_by("pk")
        for view in rows:
            lost = Sending.objects.filter(view=view, at__lt=timezone.now() - LOST)
            spans = joined(
                [*((first, last) for first, last in view.spans), *lost.values_list("first_frame", "last_frame")]
            )
            lost.delete()
            if spans:
                _enter(view, spans)
                made += 1
            view.spans, view.sent_at = [], None
            view.entries += bool(spans)
            view.save(update_fields=["spans", "sent_at", "entries"])
    return made


def _enter(view: PageView, spans: Sequence[Frames]) -> None:
    recording = view.recording
    seconds, closed = in_seconds(spans, recording.rate)
    record(
        HEARD,
        actor=Actor.user(view.user_id),
        subject=Subject.recording(recording.pk),
        spans=as_text(seconds),
        listen=view.entry,
        **({"gaps_s": closed} if closed else {}),
    )


def settle_recordings(recordings: Sequence[str]) -> int:
    """Enter what was sent of these recordings: before their log is shown, so that it says how far people listened."""
    views = PageView.objects.filter(
        Q(sent_at__isnull=False) | Q(sendings__at__lt=timezone.now() - LOST),
        recording__in=recordings,
        entries__lt=MOST_LOOKS,
    )
    found = sorted(set(views.values_list("pk", flat=True)))
    return settle(found) if found else 0


def settle_still(stop: StopSignal) -> int:
    """Enter what was sent to the listenings that are still; return how many entries that made."""
    now, made = timezone.now(), 0
    views = PageView.objects.filter(Q(sent_at__lt=now - STILL) | Q(sendings__at__lt=now - LOST))
    for pk in sorted(set(views.values_list("pk", flat=True)[:1000])):
        if stop.is_set():
            break
        made += settle([pk])
    return made
