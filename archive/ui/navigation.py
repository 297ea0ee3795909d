"""The places of the archive's pages, in the order of the menu.

A place is shown to whom access.decisions.may lets do one of its deeds. Whoever makes a place adds its line here; a test
holds that its deeds are what the address needs (access/routes.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Place:
    """A place that the menu leads to."""

    code: str
    """What a view gives as `place` in its context, so that the menu shows where the reader is."""
    label: str | _StrPromise
    """Its word in the menu."""
    address: str
    """Name of the address of its first page."""
    needs: frozenset[str] = frozenset()
    """Deeds of which one is enough to be shown it; without any, every signed-in person is."""
    first: bool = False
    """Whether it stands in sight also in a long menu, whose other entries are folded away."""


PLACES: Final[tuple[Place, ...]] = (
    Place("today", _("Today"), "pages:today", frozenset({"meetings"}), first=True),
    Place("meetings", _("Meetings"), "pages:meetings", frozenset({"meetings"}), first=True),
    Place("recordings", _("Recordings"), "pages:recordings", frozenset({"list"}), first=True),
    Place("own", _("Recordings for you"), "pages:own", frozenset({"own"}), first=True),
    Place("requests", _("Requests"), "pages:requests", frozenset({"requests"}), first=True),
    Place("people", _("People"), "pages:students", frozenset({"people"}), first=True),
    Place("my-rooms", _("My rooms"), "pages:my-rooms", frozenset({"ready"})),
    Place("rooms", _("Rooms"), "pages:rooms", frozenset({"board"}), first=True),
    Place("readiness", _("Readiness"), "pages:readiness", frozenset({"board"})),
    Place("tray", _("Tray"), "pages:tray", frozenset({"file"})),
    Place("outside", _("Brought in"), "pages:outside-recordings", frozenset({"list"})),
    Place("transfers", _("Transfers"), "pages:transfers", frozenset({"file"})),
    Place("asked", _("My requests"), "pages:asked", frozenset({"ask"})),
    Place("letters", _("Letters"), "pages:letters", frozenset({"letters"})),
    Place("grants", _("Access"), "pages:grants", frozenset({"grant"})),
    Place("redactions", _("Redacted copies"), "pages:redactions", frozenset({"redact"})),
    Place("disclosures", _("Disclosures"), "pages:disclosures", frozenset({"disclose"})),
    Place("holds", _("Holds"), "pages:holds", frozenset({"hold"})),
    Place("retention", _("Retention"), "pages:retention", frozenset({"retention"})),
    Place("destructions", _("Destruction"), "pages:destructions", frozenset({"destroy"})),
    Place("lists", _("Lists"), "pages:lists", frozenset({"lists"})),
    Place("accounts", _("Accounts"), "pages:accounts", frozenset({"accounts"})),
    Place("boxes", _("Boxes"), "pages:boxes", frozenset({"boxes"})),
    Place("checks", _("This archive"), "pages:checks", frozenset({"checks"})),
)
"""In the order of the menu."""
FEW: Final = 3
"""A menu of more places than this folds those away that do not come first: on a narrow screen."""
LONGEST: Final = 6
"""And one of more places than this on every screen."""


def places_for(may: Mapping[str, bool]) -> list[Place]:
    """Return the places to show to somebody who may do what `may` says, by deed."""
    return [place for place in PLACES if not place.needs or any(may.get(deed) for deed in place.needs)]
