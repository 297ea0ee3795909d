"""What a recording's page says of how long it is kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Contribution, Reader, Section
from archive.recordings.models import Recording, State

from .describe import kept_words
from .reach import kept_of


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return one sentence for whoever may decide about retention."""
    sealed = recording.state == State.SEALED and recording.destroyed_at is None
    if not sealed or not reader.may(Deed.RETENTION):
        return Contribution()
    said = kept_words(kept_of(recording))
    return Contribution(sections=(Section(_("Retention"), "retention/section.html", {"said": said}),))
