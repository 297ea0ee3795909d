"""Regular checks of what was brought, by the nights and the share of all packages (archive.recordings.fixity).

A check holds package and file against what was sealed; it never says that a recording is as it was made.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from appliance.contract.errors import KeyFileError, PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.log import record
from archive.keystore.recording_keys import recording_keys
from archive.recordings.elsewhere import Damage
from archive.recordings.fixity import is_due, night_since, share
from archive.recordings.verification import store_answers

from .checking import check_outside
from .custody_kinds import CHECKED
from .describe import called
from .models import OutsideRecording, State
from .reach import reached_outside

LOOK_S: Final = 60.0
"""How often the worker looks whether something is due, in seconds."""


def check_due(stop: StopSignal) -> None:
    """Check tonight's share, the oldest check first, and what was damaged once more: a job of the worker."""
    chosen, now = settings.ARCHIVE.fixity, timezone.localtime()
    since = night_since(now, chosen)
    if since is None:
        return
    rows = _kept().order_by(Coalesce(F("checked_at"), F("sealed_at")))
    looked_at = [(row, row.checked_at or row.sealed_at) for row in rows]
    left = share(len(looked_at), chosen.every_days) - rows.filter(checked_at__gte=since, checked_at__lte=now).count()
    due = [row for row, at in looked_at if at is not None and is_due(at, now, chosen.every_days)][: max(left, 0)]
    again = [row for row, at in looked_at if row.damage and at is not None and at < since and row not in due]
    for row in [*due, *again]:
        if stop.is_set() or not check_again(row):
            return


def check_again(row: OutsideRecording) -> bool:
    """Hold a sealed one against its seal, and keep and enter what was found; its file only where its key is here.

    Returns whether that could be done: a store or a key file that does not answer says nothing about a package.
    """
    problem = ""
    try:
        check_outside(row, audio=recording_keys().exists(row.pk))
    except KeyFileError:
        return False
    except PlainSightError as error:
        if not store_answers():
            return False
        problem = error.message
    with one_deed():
        now = OutsideRecording.objects.select_for_update().get(pk=row.pk)
        if now.destroyed_at is None:
            record(CHECKED, actor=ARCHIVE, subject=Subject.outside(row.pk), problem=problem)
            now.checked_at, now.damage = timezone.now(), problem
            now.save(update_fields=["checked_at", "damage"])
    return True


def damaged_ones() -> QuerySet[OutsideRecording]:
    """Return those whose last check did not find what was sealed."""
    return _kept().exclude(damage="")


def damaged(user: User) -> list[Damage]:
    """Return what the page of the checks says of them, as far as `user` sees them in lists."""
    if not damaged_ones().exists():
        return []
    rows = damaged_ones().filter(reached_outside(user, Deed.LIST)).order_by("-checked_at")
    opens = set(rows.filter(reached_outside(user, Deed.LOOK)).values_list("pk", flat=True))
    return [
        Damage(
            called=called(row),
            recording=row.pk,
            checked_at=row.checked_at,
            problem=row.damage,
            address=reverse("pages:outside", args=[row.pk]) if row.pk in opens else "",
        )
        for row in rows
        if row.checked_at is not None
    ]


def _kept() -> QuerySet[OutsideRecording]:
    there = Q(state=State.SEALED, destroyed_at=None)
    return OutsideRecording.objects.filter(there).defer("index", "statement", "receipt")
