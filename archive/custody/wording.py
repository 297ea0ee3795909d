"""Custody entries as people read them. Names come from the accounts' table, as long as they are kept there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from appliance.contract.times import parse_wall
from archive.accounts.models import User

from .actors import ActorType
from .kinds import kinds
from .models import Entry
from .phrases import references, spoken


@dataclass(frozen=True)
class Row:
    """One line of the custody table."""

    n: int
    """Number in the whole log."""
    at: datetime
    """When."""
    who: str
    """Who, in words."""
    code: str
    """What, as its stable code."""
    what: str
    """What, in words."""
    detail: str
    """Whatever else the entry says, in words."""
    references: str
    """What it names by identifiers and digests, as `name value` pairs."""


def rows(entries: Iterable[Entry]) -> list[Row]:
    """Return the table's lines for `entries`; the people in them are looked up at once."""
    entries, known = list(entries), kinds()
    users = {entry.actor_id for entry in entries if entry.actor_type == ActorType.USER}
    names = {str(user.pk): str(user) for user in User.objects.filter(pk__in=[UUID(one) for one in users])}
    return [
        Row(
            entry.n,
            parse_wall(entry.at),
            _who(entry, names),
            entry.code,
            known[entry.code].words if entry.code in known else entry.code,
            spoken(json.loads(entry.detail)),
            references(json.loads(entry.detail)),
        )
        for entry in entries
    ]


def _who(entry: Entry, names: dict[str, str]) -> str:
    match entry.actor_type:
        case ActorType.USER:
            erased = _("a person whose account was erased ({id})").format(id=entry.actor_id)
            return names.get(entry.actor_id, erased)
        case ActorType.BOX:
            return entry.actor_id
        case ActorType.OPERATOR:
            return _("an operator at the archive's host (user id {id})").format(id=entry.actor_id)
        case ActorType.NETWORK:
            return _("somebody on the network")
        case _:
            return _("the archive")
