"""A destruction that is killed or refused by a disk leaves the state before the decision, or one that is completed."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.contract.stop_signal import StopSignal
from archive.keystore.recording_keys import recording_keys
from archive.recordings.find import DestroyedError
from archive.recordings.playback import open_audio
from archive.records.destruction import deeds, finish_deeds
from archive.records.destruction.finish_deeds import finish_all
from archive.records.destruction.models import Destruction, State
from archive.store.current import store
from tests.archive.page_fixtures import entries

from .scene import Scene, gone, refresh, untouched

STEPS = ("note_destroyed", "remove_destroyed", "generations", "erase", "note_forgotten")


INSIDE = ("destroy_key", "remove", "drop_incoming")


class KilledError(BaseException):
    """As a kill: nothing catches it."""


@pytest.mark.parametrize("step", [*STEPS, *INSIDE])
def test_a_kill_between_any_two_steps_leaves_the_new_state_to_be_completed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = scene.approved()

    def kill(*_: Any, **__: Any) -> Any:
        raise KilledError

    with monkeypatch.context() as patch:
        if step in STEPS:
            patch.setattr(finish_deeds, step, kill)
        else:
            keys = type(recording_keys())
            patch.setattr(keys if step == "destroy_key" else type(store()), step, kill)
        with pytest.raises(KilledError):
            deeds.carry_out(made.pk, by=scene.bob)
    # whatever is left of it on the disk, nobody hears it any more
    with pytest.raises(DestroyedError):
        open_audio(refresh(scene.row))
    finish_all(StopSignal())
    assert gone(scene.row)
    assert Destruction.objects.get().state == State.DONE
    assert Destruction.objects.get().forgotten_at is not None
    assert [entry.code for entry in entries(scene.row.pk)].count("destruction-finished") == 1


@pytest.mark.parametrize("step", ["record", "standing_of", "find_kept"])
def test_a_kill_before_the_decision_leaves_the_old_state(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = scene.approved()
    with monkeypatch.context() as patch:
        patch.setattr(deeds, step, lambda *_, **__: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            deeds.carry_out(made.pk, by=scene.bob)
    finish_all(StopSignal())
    assert untouched(scene.row)
    assert Destruction.objects.get().state == State.APPROVED


def test_a_disk_that_says_no_is_told_and_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene.approved()
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "no space")))
        deeds.carry_out(made.pk, by=scene.bob)
    assert Destruction.objects.get().state == State.CLOSING
    finish_all(StopSignal())
    assert gone(scene.row)
