"""Writing refusals down without letting a stranger fill the custody log."""

from __future__ import annotations

import logging

from appliance.contract.errors import PlainSightError
from archive.custody.kinds import Kind
from archive.custody.log import record
from archive.custody.models import Entry
from archive.recordings.models import Recording

_log = logging.getLogger(__name__)


def note_refusal(recording: str, error: PlainSightError) -> None:
    """Log a refusal; for a recording that exists, make one custody entry for each code, however often it happens."""
    _log.warning("refused (%s) for %.32s: %s", error.code, recording, error.message)
    row = Recording.objects.filter(pk=recording).only("id", "box_id").first()
    if row is None:
        return
    if Entry.objects.filter(recording=row.id, kind=Kind.REFUSAL, detail__contains=f'"code":"{error.code}"').exists():
        return
    record(Kind.REFUSAL, actor=f"network, for box:{row.box_id}", recording=row.id, code=error.code)
