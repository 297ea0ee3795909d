"""On what ground somebody takes a copy for themselves, without a disclosure: it stands in the custody log."""

from __future__ import annotations

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject


def ground_of(user: User, recording: Subject) -> str:
    """Return `own` for a parent or a student from 18 on (34 CFR 99.10), `official` for staff (99.31(a)(1)).

    Nobody else takes copies so: what leaves the district for anybody else is a disclosure.
    """
    return "own" if may(user, Deed.OWN, recording).allowed else "official"
