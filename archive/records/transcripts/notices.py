"""What is said with every transcript, on pages and in copies: what it is, and that it is not the record."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from archive.ui import words

from .models import Transcript


def notice() -> str:
    """Return what stands on each page and copy of a transcript (docs/policy.md, guideline 9)."""
    return _(
        "This transcript is not the recording and is no evidence: what was said is what the recording holds. It is not "
        "part of the IEP or of any document of that process. Do not pass it on without the written consent of everyone "
        "recorded, unless the law compels it."
    )


def standing(row: Transcript) -> str:
    """Return who answers for a transcript, or that it is a draft."""
    if row.answered_at is None:
        return _("Draft: nobody has compared it with the recording and answered for it. It may be wrong.")
    day = words.day(timezone.localtime(row.answered_at))
    return _("Compared with the recording and answered for by {name}, {day}.").format(name=row.answered_name, day=day)


def made(row: Transcript) -> str:
    """Return who wrote it, and from what."""
    told = _("Version {version}, {source}: {maker}.")
    return told.format(version=row.version, source=row.get_source_display(), maker=row.maker)


def comments(row: Transcript, left_out: int) -> list[str]:
    """Return what stands at the begin of a file that leaves the archive."""
    bound = _("Recording {recording}; sealed package, SHA-256: {sha256}")
    lines = [notice(), made(row), standing(row), bound.format(recording=row.recording_id, sha256=row.package_sha256)]
    if left_out:
        lines.append(_("Text is left out where this copy holds no sound, and ten seconds around it."))
    return lines
