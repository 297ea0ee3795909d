"""What rights-holders' accounts may do with a student's records: no longer than the rights themselves hold."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.people import GrantFacts, grant, revoke
from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.custody.actors import Actor

from .models import Person, Student
from .rules import held_until

OWN_ACCESS: Final = GrantFacts(purpose="34 CFR 99.10, 300.613: inspection by a rights-holder", position="rights-holder")
"""What grants to rights-holders say of themselves."""


def rights_end(student: Student, person: Person) -> datetime | None:
    """Return the first moment at which `person` holds no rights over the student's records; None without an end."""
    rights = student.rights.select_related("person")
    last = held_until(person, rights, student.bars.all(), timezone.localdate())
    return None if last is None else timezone.make_aware(datetime.combine(last + timedelta(days=1), time()))


def end_with_rights(student: Student, person: Person, *, by: User) -> None:
    """Let what `person` may do as a rights-holder end with their rights over the student's records."""
    user, end, now = person.user, rights_end(student, person), timezone.now()
    if user is None or end is None:
        return
    scope = Scope.student(student.pk)
    longer = Q(valid_until=None) | Q(valid_until__gt=end)
    held = Grant.objects.filter(longer, user=user, position=OWN_ACCESS.position).over(scope).at(now)
    for deed in sorted(set(held.values_list("deed", flat=True))):
        revoke(user, Deed(deed), by=Actor.user(by.pk), scope=scope)
        if end > now:
            grant(user, Deed(deed), by=Actor.user(by.pk), scope=scope, until=end, facts=OWN_ACCESS)
