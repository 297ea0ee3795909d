"""A transcript stays what it is, whoever goes around the deeds, and goes with its recording alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from appliance.contract.errors import DecryptionError, DigestError
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.recording_keys import recording_keys
from archive.recordings.companions import companions_of
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.errors import UnknownRecordError
from archive.records.holds.models import Held
from archive.records.transcripts import deeds
from archive.records.transcripts.models import Transcript
from archive.records.transcripts.reach import copies_of, cues_of
from archive.records.transcripts.webvtt import TranscriptFileError
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene, refresh
from tests.archive.records.factories import (
    make_hold,
    make_matter,
)
from tests.support.archives import Archive, change_as_owner, without_triggers

from .scene import FACTS, VTT, answered, bring, form, place


def test_it_ends_with_the_recording_s_key(archive: Archive, row: Recording, ann: User) -> None:
    made = answered(row, ann)
    (archive.home / "recording-keys" / f"{row.pk}.age").unlink()
    assert not recording_keys().exists(row.pk)
    with pytest.raises(DecryptionError):
        cues_of(made)
    assert copies_of(row, None) == []
    assert companions_of(row, None) == []
    client = signed_in(archive, "carol", role="custodian")
    assert client.get(place(row)).status_code == 400
    assert not entries(row.pk, "transcript-read")
    again = client.post(f"/recordings/{row.pk}/transcripts/new/", form(file=VTT.replace(b"me", b"us")))
    assert again.status_code == 422


def test_destruction_removes_every_version_and_what_names_somebody(archive: Archive, sealed: Arrive) -> None:
    scene = make_scene(sealed(seconds=31).id)
    ann = make_user("amy", Deed.TRANSCRIBE, Deed.LISTEN)
    answered(scene.row, ann)
    made = scene.approved()
    destruction_deeds.carry_out(made.pk, by=scene.ann)
    assert not Transcript.objects.exists()
    made.refresh_from_db()
    assert made.removed["transcripts"] == 1
    row = refresh(scene.row)
    with pytest.raises(DestroyedError):
        deeds.bring(row.pk, VTT, 0, FACTS, deeds.recipient_of(row.pk), by=ann)
    client = signed_in(archive, "carol", role="custodian")
    assert client.get(place(row)).status_code == 410
    assert client.get(f"/recordings/{row.pk}/transcripts/new/").status_code == 410
    assert "Heartland" not in "".join(Entry.objects.about(Subject.recording(row.pk)).values_list("detail", flat=True))
    assert not [one for one in contradictions() if "transcript" in one]


def test_a_hold_keeps_every_version_and_hinders_nobody_from_reading(
    archive: Archive, row: Recording, ann: User
) -> None:
    bring(row, ann)
    make_hold(make_matter(), recording=row)
    assert Held.objects.exists()
    bring(row, ann, VTT.replace(b"me", b"us"))
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 200
    with pytest.raises(IntegrityError), transaction.atomic():
        Transcript.objects.all().delete()


CHANGES: dict[str, tuple[str, str]] = {
    "gone": ("DELETE FROM transcripts_transcript", "was added, and is gone"),
    "answered for by nobody": (
        "UPDATE transcripts_transcript SET answered_at = CURRENT_TIMESTAMP, answered_name = 'x'",
        "differ on whether somebody answered",
    ),
    "another": ("UPDATE transcripts_transcript SET sha256 = 'x'", "is not the one that was added"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_the_log_contradicts_whoever_goes_around_the_deeds(row: Recording, ann: User, case: str) -> None:
    change, told = CHANGES[case]
    bring(row, ann)
    assert not [one for one in contradictions() if "transcript" in one]
    change_as_owner(change)
    assert [one for one in contradictions() if told in one]


def test_a_text_that_was_swapped_is_not_shown(archive: Archive, row: Recording, ann: User) -> None:
    first = bring(row, ann)
    second = bring(row, ann, VTT.replace(b"me", b"us"))
    with without_triggers():
        Transcript.objects.filter(pk=second.pk).update(encrypted=first.encrypted)
    second.refresh_from_db()
    with pytest.raises(DigestError, match="version 2"):
        cues_of(second)
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 400


def test_what_was_written_from_another_package_is_not_shown(archive: Archive, row: Recording, ann: User) -> None:
    answered(row, ann)
    Recording.objects.filter(pk=row.pk).update(package_sha256="0" * 64)
    row.refresh_from_db()
    assert copies_of(row, None) == []
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 404
    page = check(signed_in(archive, "carol", role="custodian").get(f"/recordings/{row.pk}/").content.decode())
    assert "It was written from another package" in page.text


def test_a_crash_inside_a_deed_leaves_the_old_state(row: Recording, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Entry.objects.count()

    def crash(*_: Any, **__: Any) -> None:
        raise OSError

    steps: dict[str, Callable[[], object]] = {
        "bring": lambda: bring(row, ann),
        "answer": lambda: deeds.answer(row.pk, 1, "A. Ruiz", by=ann),
        "set aside": lambda: deeds.set_aside(row.pk, 1, "x", by=ann),
    }
    for step in steps.values():
        monkeypatch.setattr(Transcript, "save", crash)
        count, standing = Entry.objects.count(), list(Transcript.objects.values("answered_at", "set_aside_at"))
        with pytest.raises(OSError):  # noqa: PT011 - any
            step()
        assert Entry.objects.count() == count
        assert list(Transcript.objects.values("answered_at", "set_aside_at")) == standing
        monkeypatch.undo()
        step()
    assert Entry.objects.count() == before + 3


def test_nothing_here_is_answered_for_or_set_aside(row: Recording, ann: User) -> None:
    for deed in (deeds.answer, deeds.set_aside):
        with pytest.raises(UnknownRecordError):
            deed(row.pk, 1, "x", by=ann)
    with pytest.raises(TranscriptFileError):
        bring(row, ann, b"")
