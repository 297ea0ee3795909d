"""A sealed recording of a meeting about Ana Torres, and the people who redact it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import soundfile
from django.utils import timezone

from appliance.contract.segment import Samples
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.recordings.playback import open_audio
from archive.records.people.models import Person, Student
from archive.records.redactions import deeds
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Basis, Hearing, Redaction, State
from archive.records.redactions.sound import How
from archive.store.base import derivatives_folder
from archive.store.current import store
from tests.archive.page_fixtures import RATE, make_user
from tests.archive.records.factories import (
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive


def passage(
    first: int, last: int | None, how: How = How.TONE, basis: Basis = Basis.OTHER_STUDENT
) -> deeds.PassageFacts:
    return deeds.PassageFacts(first, last, how, basis, "another child is named")


@dataclass
class Scene:
    """What a redacted copy needs."""

    archive: Archive
    row: Recording
    ann: User
    """Makes copies."""
    bob: User
    """Listens to them."""
    student: Student
    parent: Person

    @property
    def original(self) -> Samples:
        return open_audio(self.row).read(0, self.row.frames)

    def begun(self, *passages: deeds.PassageFacts, student: Student | None = None) -> Redaction:
        made = deeds.begin(self.row.pk, "for counsel", student, by=self.ann)
        for one in passages or (passage(RATE, 2 * RATE),):
            deeds.enter_passage(self.row.pk, made.pk, one, by=self.ann)
        return made

    def asked(self, *passages: deeds.PassageFacts, student: Student | None = None) -> Redaction:
        return deeds.ask(self.row.pk, self.begun(*passages, student=student).pk, by=self.ann)

    def made(self, *passages: deeds.PassageFacts, student: Student | None = None) -> Redaction:
        asked = self.asked(*passages, student=student)
        make_asked(StopSignal())
        row = Redaction.objects.select_related("recording").get(pk=asked.pk)
        assert row.state == State.MADE, row.problem
        return row

    def client(self, user: User) -> Any:
        found = self.archive.client()
        found.force_login(user)
        return found

    def address(self, made: Redaction, rest: str = "") -> str:
        return f"/recordings/{self.row.pk}/redactions/{made.pk}/{rest}"

    def hear(self, made: Redaction, user: User, *, ago: float = 60) -> Samples:
        """Listen to all of a copy as a player does, so many seconds ago."""
        answer = self.client(user).get(self.address(made, "audio.wav"))
        assert answer.status_code == 200, answer
        samples: Samples
        samples, _ = soundfile.read(io.BytesIO(b"".join(answer)), dtype="int16")
        Hearing.objects.filter(redaction=made, user=user).update(began_at=timezone.now() - timedelta(seconds=ago))
        return samples

    def signed(self, *passages: deeds.PassageFacts, student: Student | None = None) -> Redaction:
        made = self.made(*passages, student=student)
        self.hear(made, self.bob)
        deeds.sign_off(self.row.pk, made.pk, by=self.bob)
        return Redaction.objects.select_related("recording").get(pk=made.pk)


def make_scene(archive: Archive, recording: str) -> Scene:
    student, parent = make_student("Ana", "Torres", local_id="S-17"), make_person("Rosa", "Torres")
    make_right(parent, student)
    make_filing(recording, make_meeting(student))
    ann, bob = make_user("ann", Deed.REDACT), make_user("bob", Deed.REDACT)
    return Scene(archive, Recording.objects.get(pk=recording), ann, bob, student, parent)


def objects(scene: Scene) -> list[str]:
    return sorted(store().names(derivatives_folder(scene.row.pk)))


def inside(made: Redaction) -> Any:
    mask = np.zeros(made.recording.frames, np.bool_)
    for one in made.passages.all():
        mask[one.first_frame : one.last_frame] = True
    return mask
