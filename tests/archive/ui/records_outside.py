"""Recordings that no box made, and what becomes of them."""

from __future__ import annotations

from appliance.contract.outside_package import PIECE
from archive.records.destruction.finish_deeds import finish
from archive.records.destruction.models import Destruction
from archive.records.disclosures.models import Consent, Disclosure, Recorded
from archive.records.outside_recordings import take_in_deeds
from archive.records.outside_recordings.models import OutsideFiling, OutsideRestriction
from tests.archive.records.factories import (
    make_hold,
)
from tests.archive.records.outside_recordings.files import SAID, brought, sound
from tests.archive.ui.records_scene import Scene
from tests.support.archives import without_triggers


def fill_outside(s: Scene) -> dict[str, str]:
    """Make one of each; return each page's address by its name."""
    unfiled = brought(s.viewer, sound("FLAC"), made_with="A spare recorder of the office, with a long name in the book")
    filed, again = (brought(s.viewer, sound("WAV")) for _ in range(2))
    half = take_in_deeds.begin(SAID, by=s.viewer)
    take_in_deeds.add_piece(half.pk, 0, 2 * PIECE, sound("WAV", 80)[:PIECE])
    outside_filing = OutsideFiling.objects.create(
        outside=filed,
        meeting=s.meeting,
        filed_at=s.now,
        filed_by=s.colleague,
        confirmed_at=s.now,
        confirmed_by=s.viewer,
    )
    to_confirm = OutsideFiling.objects.create(outside=again, meeting=s.doubtful, filed_at=s.now, filed_by=s.colleague)
    silent = OutsideRestriction.objects.create(
        outside=again, reason="Staff talked on.", made_at=s.now, made_by=s.colleague
    )
    make_hold(s.matter, outside=again)
    proposed_outside = Destruction.objects.create(
        outside=filed, basis="period", reason="The years are over.", proposed_at=s.now, proposed_by=s.colleague
    )
    gone = brought(s.viewer, sound("FLAC"))
    with without_triggers():
        closing = Destruction.objects.create(
            outside=gone,
            state="closing",
            basis="period",
            proposed_at=s.now,
            proposed_by=s.colleague,
            approved_at=s.now,
            approved_by=s.viewer,
            closed_at=s.now,
            closed_by=s.viewer,
        )
    gone.destroyed_at = s.now
    gone.save(update_fields=["destroyed_at"])
    finish(closing.pk)
    disclosed_outside = Disclosure.objects.create(
        outside=filed,
        what="file",
        party="Dr. Lee, evaluator",
        purpose="an evaluation",
        basis="consent",
        prepared_at=s.now,
        prepared_by=s.colleague,
    )
    silent_outside = Disclosure.objects.create(
        outside=again, what="file", party="Rosa Torres", purpose="her own", basis="own", prepared_at=s.now
    )
    consent_outside = Consent.objects.create(
        outside=filed,
        student=s.student,
        person=s.parent,
        records="the recording",
        purpose="an evaluation",
        party="Dr. Lee, evaluator",
        signed_on=s.now.date(),
        how="paper",
        proof="in the file",
        entered_at=s.now,
    )
    Recorded.objects.create(outside=filed, name="Marta Ruiz, interpreter")

    return {
        "outside-recordings": "/outside-recordings/",
        "outside": f"/outside-recordings/{unfiled.pk}/",
        "outside-filed-twice": f"/outside-recordings/{filed.pk}/",
        "outside-restricted": f"/outside-recordings/{again.pk}/",
        "outside-half": f"/outside-recordings/{half.pk}/",
        "outside-take-in": f"/outside-recordings/{half.pk}/file/",
        "outside-give-up": f"/outside-recordings/{half.pk}/give-up/",
        "outside-file": f"/outside-recordings/{unfiled.pk}/meeting/",
        "outside-confirm": f"/outside-recordings/{again.pk}/filings/{to_confirm.pk}/confirm/",
        "outside-wrong": f"/outside-recordings/{filed.pk}/filings/{outside_filing.pk}/wrong/",
        "outside-restrict": f"/outside-recordings/{filed.pk}/restrict/",
        "outside-lift": f"/outside-recordings/{again.pk}/restrictions/{silent.pk}/lift/",
        "hold-outside": f"/outside-recordings/{filed.pk}/hold/",
        "outside-destroyed": f"/outside-recordings/{gone.pk}/",
        "destruction-new-outside": f"/outside-recordings/{unfiled.pk}/destroy/",
        "destruction-outside": f"/destructions/{proposed_outside.pk}/",
        "destruction-outside-done": f"/destructions/{closing.pk}/",
        "destruction-outside-carry-out": f"/destructions/{proposed_outside.pk}/carry-out/",
        "disclosure-new-outside": f"/outside-recordings/{filed.pk}/disclose/",
        "disclosure-outside": f"/disclosures/{disclosed_outside.pk}/",
        "disclosure-outside-silent": f"/disclosures/{silent_outside.pk}/",
        "consent-new-outside": f"/outside-recordings/{filed.pk}/consents/new/",
        "consent-withdraw-outside": f"/outside-recordings/{filed.pk}/consents/{consent_outside.pk}/withdraw/",
        "recorded-outside": f"/outside-recordings/{filed.pk}/recorded/",
        "evidence-outside": f"/outside-recordings/{filed.pk}/evidence/",
        "evidence-outside-restricted": f"/outside-recordings/{again.pk}/evidence/",
        "own-outside": f"/outside-recordings/{filed.pk}/",
    }
