"""Writing refusals down without letting a stranger fill the custody log."""

from __future__ import annotations

import logging

from appliance.contract.errors import PlainSightError
from archive.access.custody_kinds import REFUSAL
from archive.custody.actors import NETWORK, Subject
from archive.custody.log import record
from archive.custody.models import Entry
from archive.recordings.models import Recording

_log = logging.getLogger(__name__)


def note_refusal(recording: str, error: PlainSightError) -> None:
    """Log a refusal; for a recording that exists, make one custody entry for each code, however often it happens."""
    told = {"code": error.code, "recording": recording, "problem": error}
    _log.warning("refused (%(code)s) for %(recording)s: %(problem)s", told)
    row = Recording.objects.filter(pk=recording).only("id").first()
    if row is None:
        return
    subject = Subject.recording(row.pk)
    known = Entry.objects.about(subject).filter(code=REFUSAL.code, actor_type=NETWORK.type)
    if known.filter(detail__contains=f'"code":"{error.code}"').exists():
        return
    record(REFUSAL, actor=NETWORK, subject=subject, code=error.code)
