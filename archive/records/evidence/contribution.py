"""What a recording's page says of its evidence package."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader
from archive.recordings.models import Recording, State
from archive.recordings.parts import audible


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return the way to the package, for whoever may take a copy of all of it."""
    if recording.state != State.SEALED or recording.destroyed_at is not None or not reader.may(Deed.DOWNLOAD):
        return Contribution()
    if audible(reader.user, Deed.DOWNLOAD, recording.pk) is not None:
        return Contribution()
    written = _("The recording with everything that shows that nobody changed it, and a summary in plain words.")
    there = reverse("pages:evidence", args=[recording.pk])
    return Contribution(actions=(Action(_("Evidence package"), there, written),))
