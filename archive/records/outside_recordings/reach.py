"""Which students a recording that no box made is about, who reaches it, and what may be removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet

from appliance.contract.errors import PlainSightError
from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.scopes import DISTRICT, Reach, Scope, ScopeType
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.elsewhere import KeptElsewhere
from archive.recordings.find import DestroyedError
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.people.reach import scopes_of_students

from .models import OutsideFiling, OutsideRecording, State
from .plain_file import outside_package


class RestrictedError(PlainSightError):
    """Fewer people may hear it, and this one is not among them."""

    code = "restricted"
    status = 403


class GivenUpError(DeedError):
    """Its file was given up before the seal, and nothing of it is kept."""

    code = "given-up"


def find_outside(pk: str, *, lock: bool = False) -> OutsideRecording:
    """Return the recording; raise UnknownRecordError. `lock` keeps others away until the transaction ends."""
    rows = OutsideRecording.objects.select_for_update(of=("self",)) if lock else OutsideRecording.objects
    row = rows.select_related("begun_by").filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such recording here")
    return row


def check_kept(row: OutsideRecording) -> None:
    """Raise DestroyedError if it was destroyed, GivenUpError if it was given up before its seal."""
    if row.state == State.GIVEN_UP:
        raise GivenUpError("It was given up before it was sealed; nothing of it is kept.")
    if row.destroyed_at is not None:
        raise DestroyedError("this recording was destroyed; only its tombstone is left")


def in_force() -> QuerySet[OutsideFiling]:
    """Return the filings through which people reach recordings: confirmed by a second person."""
    return OutsideFiling.objects.filter(confirmed_at__isnull=False, ended_at=None)


def scopes_of_outside(pk: str) -> Iterable[Scope]:
    """Return the scopes that hold it: the student of its meeting, and itself."""
    yield Scope.recording(pk)
    yield from scopes_of_students(in_force().filter(outside=pk).values_list("meeting__student", flat=True))


def reached_outside(user: User, deed: Deed) -> Q:
    """Return the condition that access.may lets `user` do `deed` to it, for lists."""
    return outside_in(reach_of(user, deed))


def outside_in(reach: Reach) -> Q:
    """Return the condition that it lies in `reach`."""
    condition = Q() if DISTRICT in reach.scopes else _within(reach.scopes)
    return condition & ~_within(reach.barred) if reach.barred else condition


def _within(scopes: Iterable[Scope]) -> Q:
    scopes = list(scopes)
    students = [one.id for one in scopes if one.type == ScopeType.STUDENT]
    schools = [one.id for one in scopes if one.type == ScopeType.SCHOOL]
    filed = in_force().filter(Q(meeting__student__in=students) | Q(meeting__student__school__in=schools))
    itself = [one.id for one in scopes if one.type == ScopeType.RECORDING]
    return Q(pk__in=itself) | Q(pk__in=filed.values("outside"))


def is_restricted(pk: str, user: User) -> bool:
    """Tell whether it is silent for `user`: whoever may restrict it may hear it, to decide."""
    row = OutsideRecording.objects.filter(pk=pk, restrictions__isnull=False, restrictions__lifted_at=None)
    return row.exists() and not may(user, Deed.RESTRICT, Subject.outside(pk)).allowed


def may_be_removed(recording: str) -> bool:
    """Tell whether key and bytes may go: it was given up before the seal, or destroyed by decision."""
    ended = Q(state=State.GIVEN_UP) | Q(destroyed_at__isnull=False)
    return OutsideRecording.objects.filter(ended, pk=recording).exists()


def destroyed_packages() -> list[tuple[str, str]]:
    """Return what was destroyed, or given up: identifier, and the name that its package has or would have had."""
    over = Q(destroyed_at__isnull=False) | Q(state=State.GIVEN_UP)
    gone = OutsideRecording.objects.filter(over).values_list("pk", flat=True)
    return [(pk, outside_package(pk)) for pk in gone]


def kept() -> Iterator[KeptElsewhere]:
    """Yield what must be here: the key from the first piece on, the package from the seal on."""
    rows = OutsideRecording.objects.filter(destroyed_at=None).exclude(state=State.GIVEN_UP)
    for row in rows.only("state", "package_size", "received", "sealed_at", "checked_at", "damage"):
        yield KeptElsewhere(
            row.pk,
            sealed=row.state == State.SEALED,
            package_size=row.package_size,
            key_arrived=row.received > 0,
            looked_at=row.checked_at or row.sealed_at,
            damaged=bool(row.damage),
        )


def kept_keys() -> set[str]:
    """Return the identifiers whose keys and pieces belong to recordings that no box made."""
    return set(OutsideRecording.objects.exclude(state=State.GIVEN_UP).values_list("pk", flat=True))
