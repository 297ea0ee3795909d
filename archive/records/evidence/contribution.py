"""What a recording's page says of its evidence package."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader
from archive.records.outside_recordings.either import Either, is_sealed
from archive.records.outside_recordings.models import OutsideRecording

from .deeds import is_whole


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return the way to the package, for whoever may take a copy of all of it."""
    if not is_sealed(recording) or recording.destroyed_at is not None or not reader.may(Deed.DOWNLOAD):
        return Contribution()
    if not is_whole(recording, reader.user):
        return Contribution()
    if isinstance(recording, OutsideRecording):
        written = _("The file with everything that shows that nobody changed it since, and a summary in plain words.")
        there = reverse("pages:evidence-outside", args=[recording.pk])
    else:
        written = _("The recording with everything that shows that nobody changed it, and a summary in plain words.")
        there = reverse("pages:evidence", args=[recording.pk])
    return Contribution(actions=(Action(_("Evidence package"), there, written),))
