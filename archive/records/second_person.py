"""The second of two people: not the account that did the first half, and none that may be in the same hands."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from archive.access.two_people import not_surely_others
from archive.accounts.models import User
from archive.core.errors import SAME_HANDS

from .errors import SecondPersonError


def why_not_second(first: Iterable[UUID | None], by: User, own: str) -> str:
    """Return why `by` is no second person after those who did the first half, or an empty text.

    `own` is what is said to who did it themselves. None stands for nobody, or for an account that was erased.
    """
    did = {pk for pk in first if pk is not None}
    if by.pk in did:
        return own
    return str(SAME_HANDS) if not_surely_others(by, did) else ""


def require_second(first: Iterable[UUID | None], by: User, own: str) -> None:
    """Raise SecondPersonError with that reason."""
    if why := why_not_second(first, by, own):
        raise SecondPersonError(why)
