"""Making boxes and their keys known, and no longer believing them."""

from __future__ import annotations

from django.utils import timezone

from appliance.contract.errors import NotEnrolledError, SettingsError
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record

from .custody_kinds import ENROLL, RETIRE, REVOKE_KEY
from .models import Box, BoxKey


def enroll(box: str, public_key: str, *, by: Actor, use: BoxKey.Use = BoxKey.Use.RECORDER) -> Box:
    """Believe `public_key` as one of `box`, from now on; make the box if it is new.

    Raises SettingsError if the key belongs to another box or is for another use, or was revoked.
    """
    with one_deed():
        row, _ = Box.objects.select_for_update().get_or_create(pk=box)
        key, _ = BoxKey.objects.get_or_create(public_key=public_key, defaults={"box": row, "use": use})
        if key.box_id != box:
            raise SettingsError(f"that key belongs to {key.box_id}; every box needs a key of its own", field="key")
        if key.use != use:
            raise SettingsError(f"that key signs {key.get_use_display()}; make another for this", field="key")
        if key.revoked_at is not None:
            raise SettingsError("that key was revoked; make the box a new one with --new-key", field="key")
        record(ENROLL, actor=by, subject=Subject.box(box), key=public_key)
        if row.retired_at is not None or row.elsewhere:
            row.retired_at, row.elsewhere = None, False
            row.save(update_fields=["retired_at", "elsewhere"])
    return row


def retire(box: str, *, by: Actor) -> Box:
    """Take nothing new from `box` from now on; what it sent stays, and stays verifiable."""
    with one_deed():
        row = _find(box)
        if row.retired_at is None:
            row.retired_at = timezone.now()
            record(RETIRE, actor=by, subject=Subject.box(box))
            row.save(update_fields=["retired_at"])
    return row


def revoke_key(box: str, public_key: str, *, by: Actor) -> BoxKey:
    """Take nothing new that `public_key` signs; the box's other keys go on being believed."""
    with one_deed():
        key = _find(box).keys.select_for_update().filter(public_key=public_key).first()
        if key is None:
            raise NotEnrolledError(f"{box} has no key {public_key}")
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            record(REVOKE_KEY, actor=by, subject=Subject.box(box), key=public_key)
            key.save(update_fields=["revoked_at"])
    return key


def _find(box: str) -> Box:
    row = Box.objects.select_for_update().filter(pk=box).first()
    if row is None:
        raise NotEnrolledError(f"the archive does not know {box}")
    return row
