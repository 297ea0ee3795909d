"""Making boxes known, and no longer believing them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from appliance.contract.errors import NotEnrolledError, SettingsError
from archive.custody.kinds import Kind
from archive.custody.log import ARCHIVE, record
from archive.rooms.models import Room

from .models import Box


def enroll(box: str, public_key: str, room: str | None = None) -> Box:
    """Believe `public_key` as one of `box`, from now on; make box and room if they are new."""
    with transaction.atomic():
        for other in Box.objects.exclude(pk=box):
            if public_key in other.public_keys:
                raise SettingsError(f"that key belongs to {other.id}; every box needs a key of its own", field="key")
        row, _ = Box.objects.get_or_create(pk=box)
        if public_key not in row.public_keys:
            row.public_keys = [*row.public_keys, public_key]
        if room is not None:
            row.room, _ = Room.objects.get_or_create(name=room)
        row.retired_at = None
        row.save()
        record(Kind.ENROLL, actor=ARCHIVE, box=box, key=public_key)
    return row


def retire(box: str) -> Box:
    """Take nothing new from `box` from now on; what it sent stays, and stays verifiable."""
    with transaction.atomic():
        row = Box.objects.filter(pk=box).first()
        if row is None:
            raise NotEnrolledError(f"the archive does not know {box}")
        if row.retired_at is None:
            row.retired_at = timezone.now()
            row.save(update_fields=["retired_at"])
            record(Kind.RETIRE, actor=ARCHIVE, box=box)
    return row
