"""What a recording's page says of how long it is kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Contribution, Reader, Section
from archive.records.outside_recordings.either import Either, is_sealed

from .describe import kept_words
from .reach import kept_of


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return one sentence for whoever may decide about retention."""
    sealed = is_sealed(recording) and recording.destroyed_at is None
    if not sealed or not reader.may(Deed.RETENTION):
        return Contribution()
    said = kept_words(kept_of(recording))
    return Contribution(sections=(Section(_("Retention"), "retention/section.html", {"said": said}),))
