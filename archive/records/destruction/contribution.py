"""What a recording's page says of its destruction."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.recordings.models import Recording
from archive.recordings.models import State as RecordingState

from .models import Destruction, State


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return where its destruction stands, and the way to propose one, for whoever may destroy."""
    if not reader.may(Deed.DESTROY):
        return Contribution()
    row = Destruction.objects.filter(recording=recording).exclude(state=State.WITHDRAWN).first()
    if row is not None:
        return Contribution(sections=(Section(_("Destruction"), "destruction/section.html", {"row": row}),))
    if recording.state != RecordingState.SEALED:
        return Contribution()
    written = _("Parents are told, a second person approves, and a day later it can be destroyed. The log says who.")
    propose = reverse("pages:destruction-new", args=[recording.pk])
    return Contribution(actions=(Action(_("Propose its destruction"), propose, written),))
