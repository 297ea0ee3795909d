"""A parent's slip: which recording it is, and the digest by which anyone can tell later that it was kept unchanged."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from appliance.contract.errors import StorageError
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest
from appliance.contract.slip import written
from archive.access.requests import actor
from archive.custody.actors import Subject
from archive.custody.log import record
from archive.recordings.custody_kinds import LOOK
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording, State
from archive.recordings.stored_ledger import lines_from
from archive.ui.qr_code import qr_code


@require_safe
def slip(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show the slip, to be printed; no student's name is on it."""
    check_not_destroyed(find(recording))
    record(LOOK, actor=actor(request), subject=Subject.recording(recording), page="slip")
    row, named = _named(recording)
    sealed = row.state == State.SEALED
    # behind the #, what stands on paper is sent to nobody, and the page beside it shows what the archive says now
    link = f"{settings.ARCHIVE.site.url}{reverse('pages:slip', args=[row.pk])}#{named}" if sealed else ""
    context = {
        "link": link,
        "code": qr_code(link) if link else "",
        "place": "recordings",
        "recording": row,
        "called": heading(row, read_ledger(row).entries),
        "sealed": sealed,
        "digits": written(named) if named else "",
        "line": max(row.next_line - 1, 0),
        "district": settings.ARCHIVE.records.district,
    }
    return render(request, "ui/slip.html", context)


def _named(recording: str) -> tuple[Recording, str]:
    """Return the recording, and what its slip names: the package's manifest, or before the seal the last line.

    It is asked behind the entry of the look, which waits for a seal: that puts what had arrived into the package.
    """
    row = find(recording)
    check_not_destroyed(row)
    if row.state == State.SEALED:
        return row, Receipt.read(bytes(row.receipt or b""), None).manifest_sha256
    if not row.next_line:
        return row, ""
    lines = lines_from(row, row.next_line - 1)
    if lines:
        return row, digest(lines[0])
    if find(recording).state == State.SEALED:
        return _named(recording)
    raise StorageError("the database does not have the last ledger line that arrived; restore it from a backup")
