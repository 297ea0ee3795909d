"""What the papers say. Whoever gets one may not read English, and who hands it over may not read Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive.ui.words import in_both

BASES: Final = {
    "consent": gettext_lazy("a parent's written consent (34 CFR 99.30)"),
    "own": gettext_lazy("a parent's own access (34 CFR 99.10)"),
    "official": gettext_lazy("a school official or contractor with a legitimate educational interest (99.31(a)(1))"),
    "transfer": gettext_lazy("a school where the student enrolls (99.31(a)(2), 99.34)"),
    "audit": gettext_lazy("an audit or evaluation by an authority (99.31(a)(3), 99.35)"),
    "compelled": gettext_lazy("a court order or subpoena (99.31(a)(9))"),
    "emergency": gettext_lazy("a health or safety emergency (99.31(a)(10), 99.36)"),
}
"""On what ground something leaves: of Basis."""
COPIES: Final = {
    "audio": gettext_lazy("the audio, as a FLAC file"),
    "package": gettext_lazy("the sealed package; nobody hears it without its key"),
    "evidence": gettext_lazy("the evidence package: audio, sealed package, log, and a summary in plain words"),
    "transfer": gettext_lazy("the evidence package for another archive, whose key opens there alone"),
    "file": gettext_lazy("the file as it was brought, byte for byte"),
}
"""What leaves: of Copy."""


def redisclosure_notice() -> str:
    """Return what goes along with everything that leaves (34 CFR 99.33(a), (d)), in the language that is active."""
    return _(
        "This is an education record of a student. Whoever received it may not pass it on to anybody else without the "
        "written consent of the parent, or of the student from 18 on, and may use it only for the purpose for which it "
        "was disclosed (34 CFR 99.33). {district}"
    ).format(district=settings.ARCHIVE.records.district)


def redisclosure_paper() -> str:
    """Return the same as a paper."""
    return in_both(redisclosure_notice) + "\n"


def brought_paper(sha256: str, said: Sequence[tuple[str, str]]) -> str:
    """Return what a copy says of its making: that nobody here saw it, its digest, and who said what about it."""

    def told() -> str:
        made = _(
            "No box of the district made this recording. It was brought; the file is what was brought, byte for byte."
        )
        unknown = _("Nobody can say that it is whole or unchanged from before it was brought.")
        return f"{made}\n{unknown}"

    return "\n".join([in_both(told), "", f"SHA-256: {sha256}", *(f"{name}: {value}" for name, value in said)]) + "\n"
