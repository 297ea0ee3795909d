"""What a recording's page says of amendments: the statements that were placed with it, and the way to a new one."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.records.meetings.reach import audible_parts
from archive.records.outside_recordings.either import Either, is_sealed
from archive.records.outside_recordings.models import OutsideRecording

from .reach import placed_with


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return the statements for whoever may listen to what they relate to (34 CFR 99.21(c)(2))."""
    # a restriction silences sound, and no statement
    filed = None if isinstance(recording, OutsideRecording) else audible_parts(reader.user, Deed.LISTEN, recording.pk)
    placed = placed_with(recording, filed) if reader.may(Deed.LISTEN) else []
    section = Section(_("Statements"), "requests/statements.html", {"statements": placed})
    written = _("A parent says that something in it is inaccurate, misleading, or violates privacy.")
    action = Action(
        _("Enter a request to amend"), f"{reverse('pages:amendment-new')}?recording={recording.pk}", written
    )
    asks = reader.may(Deed.REQUESTS) and is_sealed(recording) and recording.destroyed_at is None
    return Contribution(sections=(section,) if placed else (), actions=(action,) if asks else ())
