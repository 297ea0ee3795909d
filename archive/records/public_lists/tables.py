"""The lists as they stand now, made from rows: nothing on them is typed twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone, translation

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.records.letters.deeds import approved
from archive.records.letters.letter_facts import notices_to
from archive.records.letters.models import LetterKind
from archive.records.letters.rules import merge
from archive.records.meetings.models import MeetingKind
from archive.records.people.models import Language, Person
from archive.records.retention.models import Series
from archive.ui import words

from .models import Holding, Position, Training
from .rules import IDENTIFYING, ListKind, Table, newest

_OWN_TYPES: Final = (
    "Notices of parents, the calendar of meetings, and what was said at their opening",
    "Access requests, requests to amend, statements of parents, and letters",
    "The log of who had access to recordings, and for what",
)
"""What the archive holds beside recordings."""
_NOBODY: Final = {
    "en": {"recipient": "Parent or Guardian", "student": "your child"},
    "es": {"recipient": "padre, madre o tutor", "student": "su hijo o hija"},
}
"""To whom the annual notice goes, where it goes to everybody."""


@dataclass(frozen=True)
class Member:
    """An employee who may have access."""

    user: User
    position: str
    """Empty where nobody entered it."""
    reach: str
    """How far the access goes, without naming a student."""
    trained_on: date | None
    training: str
    """What was taught; empty where only the day is known, which was entered with a grant."""


def holdings() -> tuple[Holding | None, list[Holding]]:
    """Return where this archive's records are, if that was entered, and the other types."""
    rows = list(Holding.objects.filter(ended_at=None))
    return next((one for one in rows if one.own), None), [one for one in rows if not one.own]


def members() -> list[Member]:
    """Return the employees who may have access now, by name (34 CFR 300.623(d)); parents are none."""
    now = timezone.now()
    grants = list(Grant.objects.at(now).filter(deed__in=[*IDENTIFYING, Deed.OWN]).select_related("user"))
    as_parent = {(one.user_id, one.scope) for one in grants if one.deed == Deed.OWN}
    held = [one for one in grants if one.deed != Deed.OWN and (one.user_id, one.scope) not in as_parent]
    users = {one.user_id: one.user for one in held}
    positions, trainings = _positions(held), _trainings(held)
    found = []
    for pk, user in users.items():
        scopes = {ScopeType(one.scope_type) for one in held if one.user_id == pk}
        trained_on, training = trainings.get(str(pk), (None, ""))
        found.append(Member(user, positions.get(str(pk), ""), _reach(scopes), trained_on, training))
    return sorted(found, key=lambda one: (str(one.user).casefold(), str(one.user.pk)))


def _reach(scopes: set[ScopeType]) -> str:
    if ScopeType.DISTRICT in scopes:
        return "the whole district"
    return "a school" if ScopeType.SCHOOL in scopes else "single students"


def _positions(held: list[Grant]) -> dict[str, str]:
    users = {one.user_id for one in held}
    staff = Person.objects.filter(user__in=users).exclude(position="").values_list("user", "position")
    # what the roster says stands behind whatever was entered here
    roster = {str(user): (datetime.min, position) for user, position in staff}  # noqa: DTZ901 - before every moment
    given = {str(one.user_id): (one.valid_from, one.position) for one in _oldest_first(held) if one.position}
    entered = {str(one.user_id): (one.entered_at, one.position) for one in Position.objects.filter(user__in=users)}
    return newest(roster, given, entered)


def _trainings(held: list[Grant]) -> dict[str, tuple[date, str]]:
    found: dict[str, tuple[date, str]] = {}
    given = [(str(one.user_id), one.trained_on, "") for one in held if one.trained_on]
    rows = Training.objects.filter(user__in={one.user_id for one in held})
    for user, day, what in [*given, *((str(one.user_id), one.held_on, one.what) for one in rows)]:
        if user not in found or (day, what) > found[user]:
            found[user] = (day, what)
    return found


def _oldest_first(held: list[Grant]) -> list[Grant]:
    return sorted(held, key=lambda one: one.valid_from)


def _records() -> Table:
    own, others = holdings()
    series = list(Series.objects.all())
    place = (own.location, own.keeper) if own else ("not entered yet", "not entered yet")
    recordings = [
        (
            f"Audio recordings: {kind.label}",
            "; ".join(str(one) for one in series if kind in one.kinds) or "not decided; kept",
            *place,
        )
        for kind in MeetingKind
    ]
    beside = [(what, "kept with the recordings", *place) for what in _OWN_TYPES]
    typed = [(one.what, "", one.location, one.keeper) for one in others]
    gaps = () if own else ("Nobody entered where the records of this archive are, and whom to ask.",)
    return Table(("Type", "Record series", "Where", "Whom to ask"), (*recordings, *beside, *typed), gaps)


def _people() -> Table:
    found = members()
    rows = tuple((str(one.user), one.position or "not entered yet", one.reach) for one in found)
    gaps = tuple(f"The position of {one.user} is missing." for one in found if not one.position)
    return Table(("Name", "Position", "How far access goes"), rows, gaps)


def _training() -> Table:
    found = members()
    rows = tuple(
        (
            str(one.user),
            one.position or "not entered yet",
            one.trained_on.isoformat() if one.trained_on else "not on record",
            one.training,
        )
        for one in found
    )
    gaps = tuple(f"No training of {one.user} is on record." for one in found if one.trained_on is None)
    return Table(("Name", "Position", "Trained on", "In what"), rows, gaps)


def _notice() -> Table:
    positions = sorted({one.position for one in members() if one.position}, key=str.casefold)
    rows, gaps = [], []
    for language in Language:
        text = approved(LetterKind.ANNUAL_NOTICE, language.value)
        if text is None:
            gaps.append(f"Nobody approved the text of the annual notice in {language.label} yet; see Letters, Texts.")
            continue
        with translation.override(language.value):
            contact = words.contact(settings.ARCHIVE.site.contact)
        values = {
            **_NOBODY[language.value],
            "district": settings.ARCHIVE.records.district,
            # the day on which it is published stands beside it
            "date": "",
            "officials": "; ".join(positions),
            "notices_to": notices_to(language.value),
            "contact": contact,
        }
        rows.append((language.value, merge(text.subject, values), merge(text.body, values)))
    if not positions:
        gaps.append("No position of anybody with access was entered, so the notice cannot say who the officials are.")
    return Table(("Language", "Heading", "Text"), tuple(rows), tuple(gaps))


_TABLES: Final[dict[ListKind, Callable[[], Table]]] = {
    ListKind.RECORDS: _records,
    ListKind.PEOPLE: _people,
    ListKind.TRAINING: _training,
    ListKind.NOTICE: _notice,
}


def table_of(kind: ListKind) -> Table:
    """Return a list as it stands now, in English whoever looks: what is published is compared with it."""
    with translation.override("en"):
        return _TABLES[kind]()
