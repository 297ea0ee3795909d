"""Who must have a second factor: whoever may hear recordings, hand them out, or say who may."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest

from archive.accounts.sessions import has_second_factor

from .decisions import granted_deeds
from .deeds import Deed
from .requests import signed_in

NEEDING: Final = frozenset(
    {
        Deed.LISTEN,
        Deed.DOWNLOAD,
        Deed.RESTRICT,
        Deed.REDACT,
        Deed.TRANSCRIBE,
        Deed.DISCLOSE,
        Deed.FILE,
        Deed.CORRECT,
        Deed.REQUESTS,
        Deed.GRANT,
        Deed.ACCOUNTS,
    }
)
"""Deeds that hear, hand out, or let others do so: one grant of one of them, however far it reaches, is enough.

A filing and a right over a student's records say who hears: `file` and `correct` let others do so. Parents (`own`)
come by a link and a code of their own, or to a kiosk. 34 CFR 99.31(c): reasonable methods identify and authenticate
whoever records are shown or handed to."""


def is_missing(request: HttpRequest) -> bool:
    """Tell whether this session reaches nothing but its own sign-ins, because a second factor is still to be set up.

    It is asked at each request, so a grant that is made during a session counts as well. Whoever has a factor is asked
    for it at the sign-in, whatever was granted; whom the provider signed in has shown it there, if the settings say so.
    """
    if settings.ARCHIVE.sign_in.second_factor == "optional" or has_second_factor(request.session):
        return False
    return bool(NEEDING & granted_deeds(signed_in(request)))
