"""Access that has ended: by its own time, by somebody who took it away, or with its account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from appliance.contract.times import parse_wall
from archive.access.custody_kinds import REVOKE
from archive.access.models import Grant
from archive.custody.actors import SubjectType
from archive.custody.models import Entry

_AT_ONCE: Final = timedelta(minutes=1)
"""How far the entry of a right that was taken away and the end of its grant lie apart at most."""


def ended_between(since: datetime | None, now: datetime) -> QuerySet[Grant]:
    """Return the grants that ended after `since` (None: ever) and until `now`, each once, whatever ended it."""
    account = Q(user__active_until__lte=now) & Q(valid_from__lte=F("user__active_until"))
    account &= Q(valid_until=None) | Q(valid_until__gt=F("user__active_until"))
    own = Q(valid_until__lte=now) & (Q(user__active_until=None) | Q(valid_until__lte=F("user__active_until")))
    if since is not None:
        account &= Q(user__active_until__gt=since)
        own &= Q(valid_until__gt=since)
    return Grant.objects.filter(account | own).select_related("user")


def why_ended(grants: Iterable[Grant]) -> dict[int, str]:
    """Return by what each of these grants ended, in words, by its key."""
    grants = list(grants)
    entries = Entry.objects.filter(
        code=REVOKE.code, subject_type=SubjectType.USER, subject_id__in={str(one.user_id) for one in grants}
    )
    taken: dict[tuple[object, ...], list[datetime]] = {}
    for entry in entries:
        key = (entry.subject_id, entry.member("deed"), entry.member("scope"), entry.member("scope_id"))
        taken.setdefault(key, []).append(parse_wall(entry.at))
    return {one.pk: _why(one, taken) for one in grants}


def _why(one: Grant, taken: dict[tuple[object, ...], list[datetime]]) -> str:
    if one.ends_with_account:
        return "with its account"
    ended, moments = one.valid_until, taken.get((str(one.user_id), one.deed, one.scope_type, one.scope_id), [])
    if ended is not None and any(abs(moment - ended) <= _AT_ONCE for moment in moments):
        return "taken away"
    return "by itself, or given anew"
