"""Which account a person works with at the district, so that what bars the person bars that account."""

from __future__ import annotations

from uuid import UUID

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, StaleError, UnknownRecordError

from .custody_kinds import WORK_ACCOUNT
from .models import Person


def enter_work_account(pk: UUID, user: User | None, version: int, *, by: User) -> Person:
    """Enter with which account a person works here; None if with none any more.

    34 CFR 99.4: a parent has full rights unless a court order revokes them; one who works for the district would get
    around the order by the other account. Whoever is told apart from the person by this would take an order off
    themselves, so nobody enters it about their own account. Raises StaleError and DeedError.
    """
    with one_deed():
        row = Person.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None:
            raise UnknownRecordError("there is no such person here")
        if row.version != version:
            raise StaleError
        if by.pk in {row.work_user_id, user.pk if user else None}:
            raise DeedError("This is your own account. Ask a colleague to enter it.", field="user")
        if user is not None and Person.objects.exclude(pk=pk).filter(work_user=user).exists():
            raise DeedError("Another person was entered as working with this account.", field="user")
        if user is not None and Person.objects.filter(user=user).exists():
            raise DeedError("This account is opened by one-time links; enter the one at work.", field="user")
        account = str(user.pk) if user else None
        record(WORK_ACCOUNT, actor=Actor.user(by.pk), subject=Subject.person(pk), account=account)
        row.work_user = user
        row.version += 1
        row.save(update_fields=["work_user", "version"])
    return row
