"""What pages say of a recording that no box made. Never that it is intact: nobody can say so."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.ui import words
from archive.ui.signs import SignCode

from .models import OutsideRecording, State

SIGNS: Final[dict[str, SignCode]] = {
    State.ARRIVING: "attention",
    State.ARRIVED: "working",
    State.SEALED: "unknown",
    State.GIVEN_UP: "unknown",
}


def called(row: OutsideRecording) -> str:
    """Return what a person calls it; no name is in it."""
    day = words.day(row.made_on)
    at = f", {words.time_of_day(datetime.combine(row.made_on, row.made_at), seconds=False)}" if row.made_at else ""
    return _("Recording that no box made, {day}").format(day=f"{day}{at}")


def said_of(row: OutsideRecording) -> list[tuple[str, str]]:
    """Return what was said about it, as pairs."""
    begun = words.when(timezone.localtime(row.begun_at))
    by = row.begun_by or _("a person whose account was erased")
    written = f"{by}, {begun}"
    if row.sealed_by:
        written = _("The archive of {district}, which sealed it").format(district=row.sealed_by)
    return [
        (_("How it was made"), str(row.get_origin_display())),
        (_("Where"), row.place),
        (_("Made by"), row.made_by),
        (_("Made with"), row.made_with),
        (_("What was done with it since"), row.since),
        (_("Brought and said by"), f"{row.brought_by}, {words.day(row.brought_on)}"),
        (_("Written down by"), written),
    ]


def facts_of(row: OutsideRecording) -> list[tuple[str, str]]:
    """Return what the archive itself knows."""
    found = [
        (_("Kind of file"), row.media_type),
        (_("Size"), _("{size} bytes").format(size=f"{row.size:,}")),
        (_("Length, as the file says"), words.spoken(row.seconds) if row.seconds else _("it does not say")),
    ]
    if row.sealed_at:
        found += [
            (_("Sealed"), words.when(timezone.localtime(row.sealed_at))),
            (_("Sealed by the archive of"), row.sealed_by or settings.ARCHIVE.records.district),
            (_("Digest of the file (SHA-256)"), row.sha256),
            (_("Digest of the package (SHA-256)"), row.package_sha256),
        ]
    if row.checked_at:
        when = words.when(timezone.localtime(row.checked_at))
        told = _("{when}: not what was sealed") if row.damage else _("{when}: as it was sealed")
        found.append((_("Last held against the seal"), told.format(when=when)))
    return found
