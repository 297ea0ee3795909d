"""What a disclosure lacks, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .rules import Missing

MISSING: Final = {
    Missing.CONSENT: _(
        "A signed and dated consent of a parent that names this recording, this purpose and this party (34 CFR 99.30)."
    ),
    Missing.EXPLANATION: _("Why the exception holds here, in words (34 CFR 99.31)."),
    Missing.NOTICE: _("That each student's parents were told, and when (34 CFR 99.31(a)(9)(ii), 99.34)."),
    Missing.WAITING: _(
        "The day until which it waits, so that parents can act against it. It lies after the day on which the last of "
        "them were told, and it must have passed."
    ),
    Missing.NOT_FILED: _("The meeting: it is filed under none, so nobody knows whose record it is."),
    Missing.PART_NOT_FILED: _(
        "The meeting of a part: it is filed under none, so nobody knows whose record that part is. File it, or make a "
        "redacted copy that leaves it out."
    ),
    Missing.NO_HOLDER: _(
        "A parent: nobody of this name holds rights over the records today. Name the parent as the student's page does."
    ),
    Missing.SEVERAL: _(
        "A copy of the own child's part alone: this recording is about others as well (34 CFR 99.12). Make a redacted "
        "copy for these parents and hand that out, or let them listen by a link."
    ),
    Missing.RESTRICTED: _(
        "A decision about a restricted passage, which this copy would hold. Hand out the audio, which is silent there."
    ),
    Missing.SILENT: _("A second person's word that it may be heard: all of this recording is restricted."),
    Missing.NOT_SIGNED_OFF: _("The sign-off of the redacted copy by a second listener; or it was withdrawn."),
    Missing.NOBODY_NAMED: _("Who was recorded: nobody is named yet."),
    Missing.RECORDED: _("The written consent of everybody who was recorded."),
}
"""Each as one thing that is missing."""
