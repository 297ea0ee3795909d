"""The words of the summary: for somebody who never saw an archive."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .chapters import Fact

HEADINGS: Final = {
    "meetings": _("The meeting"),
    "statements": _("A parent's statement"),
    "consents": _("Written permissions"),
    "recorded": _("Who was recorded, and who agreed in writing"),
    "disclosures": _("Copies that were handed out"),
    "origin": _("Where it was made"),
}
"""Of each chapter."""
EMPTY: Final = {
    "meetings": _("The archive does not know which meeting this was: nobody has said so yet."),
    "statements": _("No parent placed a statement with it."),
    "consents": _("Nobody gave a written permission to pass it on."),
    "recorded": _("Nobody has said who was recorded."),
    "disclosures": _("No copy of it was handed to anybody outside of the district."),
    "origin": _("In this district: a recorder (box) of this archive made it."),
}
"""What a chapter says that has nothing."""
LABELS: Final = {
    "student": _("Student"),
    "meeting": _("Kind of meeting"),
    "begin": _("Planned for"),
    "place": _("Place"),
    "present": _("In the meeting"),
    "filed_by": _("Who said that this recording belongs to this meeting"),
    "confirmed_by": _("Who looked again and agreed"),
    "filed": _("When that was first said"),
    "first_frame": _("This meeting begins in the recording at"),
    "last_frame": _("It ends in the recording at"),
    "person": _("Who"),
    "placed": _("Placed on"),
    "text": _("What it says"),
    "part": _("The part of the recording that it is about"),
    "party": _("To whom"),
    "purpose": _("What for"),
    "records": _("What may be passed on"),
    "signed": _("Signed on"),
    "how": _("How"),
    "withdrawn": _("Taken back on"),
    "consented": _("Agreed in writing on"),
    "ground": _("Why the law allows it"),
    "explanation": _("In more words"),
    "what": _("What was handed out"),
    "handed": _("Handed out on"),
    "digest": _("Fingerprint of that file (SHA-256)"),
    "district": _("In the district"),
    "archive_key": _("The key with which that archive signed"),
    "taken_in": _("Taken in here on"),
    "evidence": _("Fingerprint of the package that it came in (SHA-256)"),
    "scan": _("The signed paper, as a file in this package"),
}
"""Of each fact."""
CHOICES: Final = {
    ("how", "paper"): _("on paper"),
    ("how", "electronic"): _("on a screen, after showing who they are"),
    ("ground", "consent"): _("A parent agreed in writing."),
    ("ground", "own"): _("A parent, or the student as an adult, may have it."),
    ("ground", "official"): _("Somebody who works for the district, and needs it for that work."),
    ("ground", "transfer"): _("A school where the student enrolls."),
    ("ground", "audit"): _("An authority that checks the school."),
    ("ground", "compelled"): _("A court ordered it."),
    ("ground", "emergency"): _("Somebody's health or safety was in danger."),
    ("what", "audio"): _("the sound"),
    ("what", "package"): _("the sealed recording, which nobody can play without its key"),
    ("what", "transfer"): _("the sealed recording and its key, for another district's archive"),
    ("what", "evidence"): _("a package like this one"),
    ("what", "file"): _("the file as it was brought"),
}
"""Facts whose value is one of a few."""

OUTCOMES: Final = {
    "complete": _("as it should: {reason}"),
    "interrupted": _("too early: the recorder lost its power, or crashed"),
    "incomplete": _("not known: the recorder never said so, and there may have been more"),
}
"""How the recording ended."""


def said(fact: Fact) -> str:
    """Return what a person reads of a fact."""
    return fact.said or str(CHOICES.get((fact.code, fact.value), fact.value))
