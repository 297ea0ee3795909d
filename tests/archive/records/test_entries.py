"""Whichever way a row is changed, what it tells was done has its entry in the custody log: the database asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.destruction.models import Destruction
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures.models import Basis as Ground
from archive.records.disclosures.models import Consent, Copy, Disclosure, NoticeGiven, Recorded
from archive.records.outside_recordings import filing_deeds
from archive.records.redactions import deeds as redaction_deeds
from archive.records.redactions.models import Redaction
from archive.records.restrictions import deeds as restriction_deeds
from archive.records.restrictions.models import Restriction
from archive.records.transcripts.models import Transcript
from tests.archive.page_fixtures import RATE, Arrive, make_user
from tests.archive.records.disclosures.scene import consent, facts, told
from tests.archive.records.factories import NOON
from tests.archive.records.outside_recordings.files import brought, sound
from tests.archive.records.redactions.scene import Scene, make_scene
from tests.support.archives import Archive

NOW = "'2026-03-04 15:00:00+00:00'"
TODAY = "'2026-03-04'"


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    return make_scene(archive, sealed(seconds=3).id)


def shown(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


def refused(table: str, change: str, row: Any) -> None:
    """Assert that this change of all rows of a table is refused, and changes nothing."""
    model, before = type(row), shown(type(row).objects.get(pk=row.pk))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")
    assert shown(model.objects.get(pk=row.pk)) == before


def dropped(table: str, row: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.both_engines
def test_of_a_redacted_copy(scene: Scene) -> None:
    table = "redactions_redaction"
    draft = scene.begun()
    refused(table, "state = 'made', sha256 = 'x', object = 'x'", draft)
    refused(table, f"state = 'withdrawn', withdrawn_at = {NOW}", draft)
    refused(table, "state = 'withdrawn'", draft)
    redaction_deeds.withdraw(scene.row.pk, draft.pk, "x", by=scene.ann)
    made = scene.signed(student=scene.student)
    refused(table, f"withdrawn_at = {NOW}", made)
    redaction_deeds.withdraw(scene.row.pk, made.pk, "a name is left", by=scene.ann)
    made = Redaction.objects.get(pk=made.pk)
    refused(table, "state = 'signed'", made)
    refused(table, "withdrawn_at = NULL", made)
    refused(table, f"lifted_at = {NOW}", made)
    redaction_deeds.lift(scene.row.pk, made.pk, by=scene.bob)
    assert Redaction.objects.get(pk=made.pk).lifted_at is not None


@pytest.mark.both_engines
def test_an_entry_of_another_copy_lets_none_be_heard_again(scene: Scene) -> None:
    one, other = (scene.signed(student=scene.student) for _ in range(2))
    for made in (one, other):
        redaction_deeds.withdraw(scene.row.pk, made.pk, "x", by=scene.ann)
    redaction_deeds.lift(scene.row.pk, other.pk, by=scene.bob)
    left = Redaction.objects.get(pk=one.pk)
    with pytest.raises(IntegrityError, match="by that deed alone"), transaction.atomic():
        Redaction.objects.filter(pk=one.pk).update(lifted_at=NOON, lifted_by=scene.bob)
    assert Redaction.objects.get(pk=one.pk).lifted_at == left.lifted_at is None


@pytest.mark.both_engines
def test_of_a_restricted_passage(scene: Scene) -> None:
    made = restriction_deeds.restrict(scene.row.pk, 0, RATE, "x", by=scene.ann)
    table = "restrictions_restriction"
    refused(table, f"lifted_at = {NOW}", made)
    refused(table, "last_frame = 1", made)
    dropped(table, made)
    lifted = restriction_deeds.lift(scene.row.pk, made.pk, "x", by=scene.bob)
    refused(table, "lifted_at = NULL", lifted)
    assert Restriction.objects.get().lifted_at is not None


@pytest.mark.both_engines
def test_of_a_disclosure_and_what_its_gates_ask_for(scene: Scene) -> None:
    table, pk = "disclosures_disclosure", scene.row.pk
    order = facts(basis=Ground.COMPELLED, explanation="Circuit Court, no. 17")
    row = disclosure_deeds.prepare(pk, order, by=scene.ann)
    later = timezone.localdate() + timedelta(days=10)
    for change in (
        f"handed_at = {NOW}, sha256 = 'x'",
        f"withdrawn_at = {NOW}",
        f"waits_until = {TODAY}",
        "exempt = 'grand-jury'",
        "party = 'somebody else'",
        "basis = 'own'",
    ):
        refused(table, change, row)
    told(row, scene.ann, waits_until=later)
    row.refresh_from_db()
    for change in (f"waits_until = {TODAY}", "waits_until = NULL", f"waits_until = '{later + timedelta(days=1)}'"):
        refused(table, change, row)
    dropped(table, row)
    given = NoticeGiven.objects.get()
    refused("disclosures_noticegiven", f"told_on = {TODAY}", given)
    dropped("disclosures_noticegiven", given)
    with pytest.raises(IntegrityError, match="stays as it was entered"), transaction.atomic():
        NoticeGiven.objects.create(disclosure=row, student=scene.student, told_on=NOON.date())
    signed = disclosure_deeds.enter_consent(pk, consent(scene.row), by=scene.ann)
    refused("disclosures_consent", f"withdrawn_on = {TODAY}", signed)
    disclosure_deeds.withdraw_consent(pk, signed.pk, by=scene.ann)
    refused("disclosures_consent", "withdrawn_on = NULL", Consent.objects.get())
    disclosure_deeds.withdraw(row.pk, by=scene.ann)
    refused(table, "withdrawn_at = NULL", Disclosure.objects.get())


@pytest.mark.both_engines
def test_that_somebody_consented_is_no_row_of_its_own(scene: Scene) -> None:
    row = Recorded.objects.create(recording=scene.row, name="Lee Park")
    refused("disclosures_recorded", f"consented_on = {TODAY}, proof = 'x'", row)
    disclosure_deeds.enter_recorded(scene.row.pk, "Lee Park", None, "", by=scene.ann)
    refused("disclosures_recorded", f"consented_on = {TODAY}, proof = 'x'", Recorded.objects.get())
    disclosure_deeds.enter_recorded(scene.row.pk, "Lee Park", timezone.localdate(), "file 13", by=scene.ann)
    assert Recorded.objects.get().consented_on is not None


@pytest.mark.both_engines
@pytest.mark.parametrize("state", ["approved", "closing", "done", "withdrawn"])
def test_of_each_step_of_a_destruction(scene: Scene, state: str) -> None:
    row = Destruction.objects.create(
        recording=scene.row, basis="period", reason="x", proposed_at=NOON, proposed_by=scene.ann
    )
    by = f"approved_at = {NOW}, closed_at = {NOW}, approved_by_id = '{_key(scene.bob)}'"
    refused("destruction_destruction", f"state = '{state}', {by}", row)
    if state == "withdrawn":
        return
    # nor does one begin where another would have to arrive
    row.state, row.pk, row.approved_at, row.closed_at = state, UUID(int=7), NOON, NOON
    Destruction.objects.filter(recording=scene.row).delete()
    with pytest.raises(IntegrityError, match="by its deeds alone"), transaction.atomic():
        row.save(force_insert=True)


def _key(user: User) -> str:
    return user.pk.hex if connection.vendor == "sqlite" else str(user.pk)


@pytest.mark.both_engines
def test_of_a_transcript(scene: Scene) -> None:
    row = Transcript.objects.create(
        recording=scene.row, version=1, package_sha256="0" * 64, source="cart", language="en", maker="a captioner",
        sha256="1" * 64, cues=1, encrypted=b"x", brought_at=NOON,
    )  # fmt: skip
    refused("transcripts_transcript", f"answered_at = {NOW}, answered_name = 'A. Ruiz'", row)
    refused("transcripts_transcript", f"set_aside_at = {NOW}", row)


@pytest.mark.both_engines
def test_of_what_was_brought(archive: Archive) -> None:
    ann = make_user("ann", Deed.RESTRICT)
    row = brought(ann, sound("FLAC"))
    made = filing_deeds.restrict(row.pk, "staff talked on", by=ann)
    refused("outside_recordings_outsiderestriction", f"lifted_at = {NOW}", made)
    refused("outside_recordings_outsiderecording", f"given_up_at = {NOW}", row)
    filing_deeds.lift(row.pk, made.pk, "x", by=make_user("bob", Deed.RESTRICT))


@pytest.mark.both_engines
def test_a_copy_that_was_taken_out_is_told_by_its_own_digest(scene: Scene) -> None:
    row = disclosure_deeds.prepare(scene.row.pk, facts(what=Copy.AUDIO, basis=Ground.OWN), by=scene.ann)
    disclosure_deeds.note_whole(row.pk, "a" * 64, 9, by=scene.ann)
    assert Disclosure.objects.get().sha256 == "a" * 64
    other = disclosure_deeds.prepare(scene.row.pk, facts(what=Copy.AUDIO, basis=Ground.OWN), by=scene.ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Disclosure.objects.filter(pk=other.pk).update(handed_at=NOON, sha256="a" * 64)
