"""What a recording's page says of how long it is kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.contributions import Contribution, Section
from archive.recordings.models import Recording, State

from .describe import kept_words
from .reach import kept_of


def contribution(recording: Recording, reader: User) -> Contribution:
    """Return one sentence for whoever may decide about retention."""
    sealed = recording.state == State.SEALED and recording.destroyed_at is None
    if not sealed or not may(reader, Deed.RETENTION, Subject.recording(recording.pk)).allowed:
        return Contribution()
    said = kept_words(kept_of(recording))
    return Contribution(sections=(Section(_("Retention"), "retention/section.html", {"said": said}),))
