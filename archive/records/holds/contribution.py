"""What a recording's page says of its holds."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.records.outside_recordings.either import Either
from archive.records.outside_recordings.models import OutsideRecording

from .reach import matters_of


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return the matters that hold it, by name for whoever may hold; that something does, for everybody."""
    sees = reader.may(Deed.HOLD)
    matters = list(matters_of(recording.pk))
    section = Section(_("On hold"), "holds/section.html", {"matters": matters if sees else [], "count": len(matters)})
    written = _("Nothing and nobody can destroy it then, until the hold ends. The log says who did.")
    page = "pages:hold-outside" if isinstance(recording, OutsideRecording) else "pages:hold-recording"
    action = Action(_("Put it on hold"), reverse(page, args=[recording.pk]), written)
    offered = sees and recording.destroyed_at is None
    return Contribution(sections=(section,) if matters else (), actions=(action,) if offered else ())
