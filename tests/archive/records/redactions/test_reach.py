"""Who reaches a redacted copy, and who hears silence because of one: parents, teachers, and nobody else."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.parts import audible
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.redactions import deeds
from archive.records.redactions.models import Basis
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_meeting,
    make_student,
)

from .scene import Scene, inside, passage


def test_a_copy_is_found_at_its_own_recording_alone(scene: Scene, sealed: Arrive) -> None:
    other, made = sealed(seconds=1), scene.made()
    assert scene.client(scene.bob).get(f"/recordings/{other.id}/redactions/{made.pk}/").status_code == 404
    with pytest.raises(UnknownRecordError):
        deeds.sign_off(other.id, made.pk, by=scene.bob)
    with pytest.raises(DeedError, match="no meeting of this student"):
        deeds.begin(scene.row.pk, "x", make_student("Zoe"), by=scene.ann)


@pytest.fixture
def rosa(scene: Scene) -> User:
    """A parent of Ana's, who may listen by a link and load copies."""
    user = make_account(scene.parent)
    grant_student(user, scene.student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    return user


def test_a_parent_hears_silence_in_the_passages_of_a_copy_for_the_own_child_once_it_is_signed_off(
    scene: Scene, rosa: User
) -> None:
    made = scene.made(student=scene.student)
    client = scene.client(rosa)
    assert audible(rosa, Deed.LISTEN, scene.row.pk) is None, "before that nothing is decided"
    scene.hear(made, scene.bob)
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    before, mask = scene.original, inside(made)
    wav, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{scene.row.pk}/audio.wav"))), dtype="int16")
    flac, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{scene.row.pk}/audio.flac"))), dtype="int16")
    for heard in (wav, flac):
        assert not heard[mask].any()
        assert np.array_equal(heard[~mask], before[~mask])
    assert client.get(f"/recordings/{scene.row.pk}/package.zip").status_code == 403
    page = client.get(f"/recordings/{scene.row.pk}/").content.decode()
    assert "the school left this passage out" in page
    assert "another child is named" not in page


def test_a_copy_for_nobody_s_parents_bounds_no_parent(scene: Scene, rosa: User) -> None:
    scene.signed()
    assert audible(rosa, Deed.LISTEN, scene.row.pk) is None


def test_no_parent_and_nobody_without_the_right_reaches_a_copy_by_its_address(scene: Scene, rosa: User) -> None:
    made = scene.signed(student=scene.student)
    others = [scene.client(rosa), signed_in(scene.archive, "tech", role="technician")]
    others.append(signed_in(scene.archive, "nearly-all", *(set(Deed) - {Deed.REDACT})))
    for client in others:
        for rest in ("", "audio.wav", "exemptions/", "exemptions.pdf", "sign-off/"):
            assert client.get(scene.address(made, rest)).status_code == 403
    assert len(entries(scene.row.pk, "refusal")) == 5 * len(others)


def test_staff_whom_a_court_order_bars_from_the_student_reach_no_copy(scene: Scene) -> None:
    made = scene.made()
    scene.parent.user = scene.bob
    scene.parent.save()
    make_bar(scene.parent, scene.student)
    assert scene.client(scene.bob).get(scene.address(made)).status_code == 403
    assert scene.client(scene.bob).get(scene.address(made, "audio.wav")).status_code == 403


def test_parts_of_other_students_are_left_out_of_a_copy_for_one_s_parents(scene: Scene) -> None:
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=2 * RATE)
    made = scene.made(passage(0, 100), student=scene.student)
    (found,) = made.passages.filter(by_archive=True)
    assert (found.first_frame, found.last_frame, found.basis) == (2 * RATE, 4 * RATE, Basis.OTHER_STUDENT)
    assert not scene.hear(made, scene.bob)[2 * RATE :].any()


def test_a_teacher_of_one_student_hears_of_a_copy_what_is_about_that_one(scene: Scene) -> None:
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=2 * RATE)
    made = scene.made(passage(0, 100))
    teacher = make_user("teacher")
    grant_student(teacher, scene.student, Deed.REDACT)
    assert not scene.hear(made, teacher)[2 * RATE :].any()
    with pytest.raises(DeedError, match="a part of this recording only"):
        deeds.sign_off(scene.row.pk, made.pk, by=teacher)
