"""What a recording's page says of its destruction."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.records.outside_recordings.either import Either, is_sealed, named
from archive.records.outside_recordings.models import OutsideRecording

from .models import Destruction, State


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return where its destruction stands, and the way to propose one, for whoever may destroy."""
    if not reader.may(Deed.DESTROY):
        return Contribution()
    row = Destruction.objects.filter(named(recording.pk)).exclude(state=State.WITHDRAWN).first()
    if row is not None:
        return Contribution(sections=(Section(_("Destruction"), "destruction/section.html", {"row": row}),))
    if not is_sealed(recording):
        return Contribution()
    written = _("Parents are told, a second person approves, and a day later it can be destroyed. The log says who.")
    page = "pages:destruction-new-outside" if isinstance(recording, OutsideRecording) else "pages:destruction-new"
    propose = reverse(page, args=[recording.pk])
    return Contribution(actions=(Action(_("Propose its destruction"), propose, written),))
