"""The worker makes a redacted copy: it tells how far it is, stops where it is told, and leaves nothing half."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.records.redactions import deeds, make_deeds
from archive.records.redactions.make_deeds import LEFT, NotExactError, make, make_asked
from archive.records.redactions.models import Redaction, State
from archive.records.redactions.sound import redacted
from tests.archive.page_fixtures import entries
from tests.support.archives import lose_key

from .scene import Scene, objects


def test_the_worker_tells_its_progress_and_stops_where_it_is_told(scene: Scene) -> None:
    asked, stop = scene.asked(), StopSignal()
    told: list[tuple[int, int]] = []
    make(asked, lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2)]
    again = scene.asked()
    stop.set()
    make_asked(stop)
    assert Redaction.objects.get(pk=again.pk).state == State.ASKED
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=again.pk).state == State.MADE


def test_what_another_worker_makes_is_left_to_it_until_it_is_silent(scene: Scene) -> None:
    asked = scene.asked()
    Redaction.objects.update(working_at=timezone.now())
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.ASKED
    Redaction.objects.update(working_at=timezone.now() - LEFT - timedelta(seconds=1))
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.MADE


def test_a_host_whose_clock_is_ahead_takes_nothing_from_a_worker_that_works(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = scene.asked()
    Redaction.objects.update(working_at=Now())
    ahead = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.ASKED, "by the database's clock it was heard of just now"


def test_a_copy_that_does_not_hold_is_thrown_away(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    right = redacted

    def wrong(*given: Any) -> Any:
        read = right(*given)

        def made(first: int, frames: int) -> Any:
            samples = read(first, frames)
            samples[0] += 1
            return samples

        return made

    monkeypatch.setattr(make_deeds, "redacted", wrong)
    with pytest.raises(NotExactError, match="outside of the passages 1 were changed"):
        make(scene.asked())
    make_asked(StopSignal())
    row = Redaction.objects.get()
    assert (row.state, row.object, objects(scene)) == (State.FAILED, "", [])
    assert "were changed" in row.problem
    assert len(entries(scene.row.pk, "redaction-failed")) == 1


def test_a_recording_that_does_not_open_makes_no_copy_and_says_why(scene: Scene) -> None:
    asked = scene.asked()
    lose_key(scene.row.pk)
    make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert row.state == State.FAILED
    assert "key" in row.problem
    assert objects(scene) == []


def test_a_full_disk_makes_no_copy_and_it_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from archive.store.local import LocalDraft  # noqa: PLC0415 - models need Django

    asked = scene.asked()

    def full(*_: Any) -> int:
        raise StorageError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(LocalDraft, "write", full)
        make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert (row.state, objects(scene)) == (State.ASKED, [])
    assert "tried again" in row.problem
    Redaction.objects.update(working_at=None)
    make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert (row.state, row.problem) == (State.MADE, "")


@pytest.mark.parametrize("meanwhile", ["reopened", "withdrawn"])
def test_what_was_taken_back_while_it_was_made_is_not_kept(scene: Scene, meanwhile: str) -> None:
    asked, done = scene.asked(), list[int]()

    def told(*_: int) -> None:
        if not done:
            done.append(1)
            if meanwhile == "reopened":
                deeds.reopen(scene.row.pk, asked.pk, by=scene.ann)
            else:
                deeds.withdraw(scene.row.pk, asked.pk, "x", by=scene.ann)

    make(asked, told)
    assert objects(scene) == []
    assert Redaction.objects.get(pk=asked.pk).state == (State.DRAFT if meanwhile == "reopened" else State.WITHDRAWN)
