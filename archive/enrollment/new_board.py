"""A box whose card goes on in another board: who may take its place, and what becomes of it (docs/enrollment.md)."""

from __future__ import annotations

from django.db.models import Q

from appliance.contract.enrollment import EnrollRequest, FormerProof
from appliance.contract.errors import FormatError, SettingsError
from archive.custody.actors import NETWORK, Subject
from archive.custody.log import record
from archive.devices.enrollment import retire
from archive.devices.models import Box, BoxKey
from archive.rooms.models import Room
from archive.rooms.placement import rooms_now

from .custody_kinds import REPLACE
from .models import Claim


def replaceable(box: str) -> tuple[Box, Room]:
    """Return a box that another board may take the place of, locked, and where it stands; raise SettingsError."""
    row = Box.objects.select_for_update().filter(pk=box, elsewhere=False).first()
    if row is None:
        raise SettingsError(f"the archive does not know {box}", field="box")
    if row.successor_id is not None:
        raise SettingsError(f"{row.successor_id} goes on in the place of {box}; give that one a claim", field="box")
    room = rooms_now([row]).get(box)
    if room is None:
        raise SettingsError(f"{box} stands in no room; say where with 'plainsight-archive place'", field="box")
    return row, room


def why_not(row: Claim, asked: EnrollRequest, owner: Box | None) -> str:
    """Return why a claim for a box's card is not taken, as the person at the box reads it; empty if it is.

    `owner`: the box that the archive knows by the key that asks.
    """
    if row.for_box is None or row.used_at is not None:
        return ""
    box = row.for_box
    if box.successor_id is not None:
        return f"{box.successor_id} goes on in the place of {box} already; make a claim for that one"
    if owner == box:
        return (
            f"this is the board of {box} itself, and the claim is for its card in another one; remove it from the card"
        )
    if not _proven(box, asked):
        return f"the claim is for the card of {box}, and this is another card; make a claim for a new box"
    return ""


def _proven(box: Box, asked: EnrollRequest) -> bool:
    """Tell whether the box's own key says that the key that asks takes its place."""
    if asked.former is None:
        return False
    line = asked.former.encode("ascii", "replace")
    try:
        said = FormerProof.read(line, None)
        FormerProof.read(line, said.box_key)
    except FormatError:
        return False
    known = box.keys.filter(public_key=said.box_key, use=BoxKey.Use.RECORDER, revoked_at=None).exists()
    return known and (said.box, said.claim, said.new_key) == (box.pk, asked.claim, asked.box_key)


def take_place(box: Box, new: Box, board: str) -> None:
    """Let `new` go on in the place of `box`, which is retired, and of those whose place that one had taken."""
    retire(box.pk, by=NETWORK)
    record(REPLACE, actor=NETWORK, subject=Subject.box(box.pk), successor=new.pk, board=board)
    Box.objects.filter(Q(pk=box.pk) | Q(successor=box)).update(successor=new)
