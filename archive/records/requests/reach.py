"""Which student a request or an amendment is about."""

from __future__ import annotations

from collections.abc import Iterable

from archive.access.scopes import Scope
from archive.records.people.reach import scopes_of_students

from .models import AccessRequest, Amendment


def scopes_of_case(case: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of an access request or an amendment."""
    requests = AccessRequest.objects.filter(pk=case).values_list("student", flat=True)
    amendments = Amendment.objects.filter(pk=case).values_list("student", flat=True)
    return scopes_of_students([*requests, *amendments])
