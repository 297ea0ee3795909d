"""What a recording's page says of restricted passages."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.recordings.models import Recording
from archive.ui import words

from .models import Restriction


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return that and where passages are silent for this reader; the reasons and the deeds for whoever may restrict."""
    decides = reader.may(Deed.RESTRICT)
    rows = Restriction.objects.filter(recording=recording, lifted_at=None)
    shown = [(one, *_from_to(one, recording)) for one in rows]
    sections: tuple[Section, ...] = ()
    if shown:
        context = {"rows": shown, "decides": decides, "recording": recording.pk}
        sections = (Section(_("Restricted passages"), "restrictions/section.html", context),)
    if not decides or recording.destroyed_at is not None:
        return Contribution(sections=sections)
    written = "Fewer people hear it then, and no copy holds it. A second person opens it again. The log says who."
    address = reverse("pages:restrict", args=[recording.pk])
    return Contribution(sections=sections, actions=(Action("Restrict a passage", address, written),))


def _from_to(one: Restriction, recording: Recording) -> tuple[str, str]:
    last = recording.frames if one.last_frame is None else one.last_frame
    return words.clock_time(one.first_frame / recording.rate), words.clock_time(last / recording.rate)
