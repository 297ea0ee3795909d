"""How long a recording is kept, in words."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .rules import Kept, Why


def kept_words(kept: Kept) -> str:
    """Return one sentence, and a second one where it follows from what its meeting was before."""
    series = "; ".join(kept.series)
    day = date_format(kept.eligible_on, "M j Y") if kept.eligible_on else ""
    said = {
        Why.UNFILED: _("It is filed under no meeting, so it belongs to no series and is kept."),
        Why.FILING_OPEN: _("Where it is filed is not settled, so it is kept."),
        Why.NO_SERIES: _("Nobody said to which record series such recordings belong, so it is kept."),
        Why.NO_ANSWER: _("Nobody entered yet how long its record series is kept, so it is kept."),
        Why.PERMANENT: _("It is kept for good ({series}).").format(series=series),
        Why.NO_DATE: _("The day from which its years count is not known, so it is kept ({series}).").format(
            series=series
        ),
        Why.PERIOD: _("It is kept until people destroy it, which they may from {day} on ({series}).").format(
            day=day, series=series
        ),
    }
    former = _("Its meeting was of another kind before, which counts as well.")
    return f"{said[kept.why]} {former}" if kept.former else said[kept.why]
