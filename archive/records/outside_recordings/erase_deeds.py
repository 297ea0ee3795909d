"""Removing what names somebody from a recording that was destroyed by decision: its row stays as a tombstone."""

from __future__ import annotations

from .models import OutsideFiling, OutsideRecording, OutsideRestriction, OutsideView
from .take_in_deeds import NAMING


def erase_outside(pk: str) -> dict[str, int]:
    """Remove what was said about it, who brought it, where it was filed, who opened it; return how many of each.

    Its days and digests stay. Call it in a transaction, of one that is called destroyed: a trigger refuses any other.
    """
    said = OutsideRecording.objects.filter(pk=pk, destroyed_at__isnull=False)
    gone = dict.fromkeys(NAMING, "") | {"problem": ""}
    return {
        "statements about its making": said.update(**gone, begun_by=None, made_at=None, statement=b"", index=b""),
        "filings": OutsideFiling.objects.filter(outside=pk).delete()[0],
        "restrictions": OutsideRestriction.objects.filter(outside=pk).delete()[0],
        "page views": OutsideView.objects.filter(outside=pk).delete()[0],
    }
