"""What a recording's page says of its disclosures."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.recordings.models import Recording, State

from .models import Disclosure


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return its disclosures and the way to a new one, for whoever may disclose."""
    if not reader.may(Deed.DISCLOSE):
        return Contribution()
    rows = list(Disclosure.objects.filter(recording=recording))
    sections = (Section(_("Disclosures"), "disclosures/section.html", {"rows": rows}),) if rows else ()
    if recording.state != State.SEALED or recording.destroyed_at is not None:
        return Contribution(sections=sections)
    written = _("Two gates: the law's and the district's. The page says what is missing; each copy is entered.")
    new = reverse("pages:disclosure-new", args=[recording.pk])
    return Contribution(sections=sections, actions=(Action(_("Disclose it"), new, written),))
