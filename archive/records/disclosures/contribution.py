"""What a recording's page says of its disclosures."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.records.outside_recordings.either import Either, is_sealed, named
from archive.records.outside_recordings.models import OutsideRecording

from .models import Disclosure


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return its disclosures and the way to a new one, for whoever may disclose."""
    if not reader.may(Deed.DISCLOSE):
        return Contribution()
    rows = list(Disclosure.objects.filter(named(recording.pk)))
    sections = (Section(_("Disclosures"), "disclosures/section.html", {"rows": rows}),) if rows else ()
    if not is_sealed(recording) or recording.destroyed_at is not None:
        return Contribution(sections=sections)
    written = _("Two gates: the law's and the district's. The page says what is missing; each copy is entered.")
    page = "pages:disclosure-new-outside" if isinstance(recording, OutsideRecording) else "pages:disclosure-new"
    action = Action(_("Disclose it"), reverse(page, args=[recording.pk]), written)
    return Contribution(sections=sections, actions=(action,))
