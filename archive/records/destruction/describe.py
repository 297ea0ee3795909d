"""Destruction in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Told
from .rules import Obstacle

OBSTACLES: Final = {
    Obstacle.KEPT: _("It must be kept: its period is not over, or nobody decided about it."),
    Obstacle.NOT_ASKED: _(
        "Its period is not over. Of each of its students, a parent must have asked for it or agree (34 CFR 300.624(b))."
    ),
    Obstacle.HELD: _("It is on hold."),
    Obstacle.HELD_IN_STORE: _(
        "The store still keeps it under a legal hold. That is lifted within minutes after its last matter ended; where "
        "no matter ever held it, somebody set it in the store itself: ask your administrator."
    ),
    Obstacle.LOCKED: _("The store keeps it locked, and the archive's settings say that nothing is destroyed before."),
    Obstacle.REQUEST_OPEN: _("A request of a parent is open; nothing is destroyed meanwhile (34 CFR 99.10(e))."),
    Obstacle.DISCLOSURE_OPEN: _(
        "A copy of it was prepared for somebody and not taken out; take it out, or withdraw that disclosure."
    ),
    Obstacle.NOBODY_TO_TELL: _(
        "The archive knows nobody who holds rights over the records of the student, so nobody was told."
    ),
    Obstacle.NOT_TOLD: _("A parent was not told yet, or the letter was not delivered (34 CFR 300.624(a))."),
    Obstacle.NO_REPLY: _("A parent's answer is missing."),
    Obstacle.SILENT_TOO_SOON: _("A letter has not waited 45 days for an answer yet."),
    Obstacle.REPLY_AGAINST: _("A parent wants a copy first, or does not agree."),
    Obstacle.NOT_APPROVED: _("No second person has approved it."),
    Obstacle.REST: _("The day of rest after the approval is not over."),
    Obstacle.CLOCK: _("The archive's clock stands before the approval. Have it put right."),
}
"""Each as one sentence."""


def answered(one: Told) -> str:
    """Return what a rights-holder answered, what was answered before included."""
    said = [before.get_reply_display() for before in one.earlier.all()]
    return gettext(", later: ").join([*said, one.get_reply_display()] if one.reply else said)
