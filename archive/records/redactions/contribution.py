"""What a recording's page says of its redacted copies."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.recordings.models import Recording
from archive.recordings.models import State as Recorded
from archive.ui import words

from .describe import SIGN
from .models import Redaction, State
from .reach import heard_by_parents, spans_in
from .rules import outside


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return the copies and the way to a new one for whoever redacts; for parents, where they hear silence and why."""
    if recording.destroyed_at is not None:
        return Contribution()
    if not reader.may(Deed.REDACT):
        kept = heard_by_parents(reader.user, Deed.LISTEN, recording.pk)
        if kept is None:
            return Contribution()
        silent = outside(spans_in(kept, recording.frames), recording.frames)
        rate = recording.rate
        shown = [(words.clock_time(one.first / rate), words.clock_time(one.last / rate)) for one in silent]
        context: dict[str, object] = {"silent": shown}
        return Contribution(sections=(Section(_("What you do not hear"), "redactions/section.html", context),))
    rows = [(one, SIGN[State(one.state)]) for one in Redaction.objects.filter(recording=recording)]
    sections = (Section("Redacted copies", "redactions/section.html", {"rows": rows}),) if rows else ()
    if recording.state != Recorded.SEALED:
        return Contribution(sections=sections)
    written = "Passages are left out of a copy; a second person listens to it before it leaves. The recording stays."
    new = reverse("pages:redaction-new", args=[recording.pk])
    return Contribution(sections=sections, actions=(Action("Make a redacted copy", new, written),))
