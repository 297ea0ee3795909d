"""Packages that another district's archive handed over, in each of their states."""

from __future__ import annotations

from appliance.contract.keys import KeyRing
from appliance.contract.outside_package import PIECE
from archive.keystore.current import keystore
from archive.transfers import upload_deeds
from archive.transfers.models import State, TakenIn, Upload
from archive.transfers.upload_deeds import Said
from tests.archive.ui.records_scene import Scene


def fill_transfers(s: Scene) -> dict[str, str]:
    """Make one of each; return each page's address by its name."""
    ring = KeyRing(archives=[keystore().public])
    said = Said("Springfield R-XII", ring, "Pat Doe sent the package by mail, and read the key ring out by telephone.")
    half, checked, refused, given_up, taken = (upload_deeds.begin(said, by=s.viewer) for _ in range(5))
    Upload.objects.filter(pk=half.pk).update(size=3 * PIECE, received=PIECE)
    Upload.objects.filter(pk=checked.pk).update(state=State.ARRIVED, arrived_at=s.now)
    why = f"it is addressed to another archive; give the other archive the recipient {keystore().recipient}"
    Upload.objects.filter(pk=refused.pk).update(state=State.REFUSED, ended_at=s.now, problem=why)
    upload_deeds.give_up(given_up.pk, by=s.viewer)
    from_there = TakenIn.objects.create(
        id=s.third,
        recording_id=s.third,
        district=said.district,
        archive_key=keystore().public,
        box_key=keystore().public,
        evidence_sha256="0" * 64,
        taken_at=s.now,
    )
    Upload.objects.filter(pk=taken.pk).update(state=State.TAKEN_IN, ended_at=s.now, taken_in=from_there)
    return {
        "transfers": "/transfers/",
        "transfer-new": f"/transfers/new/?again={refused.pk}",
        "transfer-arriving": f"/transfers/{half.pk}/",
        "transfer-checked": f"/transfers/{checked.pk}/",
        "transfer-refused": f"/transfers/{refused.pk}/",
        "transfer-given-up": f"/transfers/{given_up.pk}/",
        "transfer-taken-in": f"/transfers/{taken.pk}/",
        "transfer-give-up": f"/transfers/{half.pk}/give-up/",
    }
