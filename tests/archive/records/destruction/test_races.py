"""Destroying and listening, holding and destroying at the same moment, and being killed at any: one or the other."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.ingest import quotas
from archive.recordings.models import Recording
from archive.recordings.playback import open_audio
from archive.records.destruction import deeds
from archive.records.destruction.finish_deeds import finish_all
from archive.records.destruction.models import Destruction, State
from archive.records.errors import DeedError
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.reach import matters_of
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import make_filing, make_matter, make_meeting
from tests.archive.records.retention.test_retention import age
from tests.support.archives import Archive
from tests.support.killing import kills
from tests.support.waiting import until

from .scene import Scene, gone, make_scene, refresh, untouched

ROUNDS = 5


def next_scene(scene: Scene, recording: str) -> Scene:
    """The same people, and another recording."""
    row = Recording.objects.get(pk=recording)
    make_filing(row.pk, make_meeting(scene.student))
    age(row, 2 * 365)
    return Scene(row, scene.ann, scene.bob, scene.student, scene.parent)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all of `acts` at the same moment, each in a thread; return what each returned or raised."""
    barrier, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            found[number] = act()
        except PlainSightError as error:
            found[number] = error  # type: ignore[call-overload]
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_hold_and_destroy_at_once_one_of_both(archive: Archive, sealed: Arrive) -> None:
    scene = make_scene(sealed(seconds=1).id)
    for number in range(ROUNDS):
        if number:
            scene = next_scene(scene, sealed(seconds=1).id)
        made, matter = scene.approved(), make_matter(f"matter {number}")
        row = scene.row
        destroyed, held = at_once(
            partial(deeds.carry_out, made.pk, by=scene.bob),
            partial(hold_deeds.hold, matter.pk, scene.row, by=scene.ann),
        )
        assert isinstance(destroyed, DeedError) != isinstance(held, PlainSightError)
        assert gone(row) is not matters_of(row.pk).exists()
        assert gone(row) or untouched(row)


def test_who_listens_while_it_is_destroyed_hears_sound_or_an_error_and_afterwards_nothing(
    archive: Archive, sealed: Arrive
) -> None:
    scene = make_scene(sealed(seconds=8).id)
    made = scene.approved()
    listener = make_user("listener", Deed.LISTEN, Deed.DOWNLOAD)
    address = f"/recordings/{scene.row.pk}/"
    answers: list[tuple[float, int]] = []
    done = threading.Event()

    def listen(name: str) -> None:
        client = archive.client()
        client.force_login(listener)
        while not done.is_set():
            at = timezone.now().timestamp()
            answer = client.get(address + name)
            if answer.status_code == 200 and answer.streaming:
                # what is cut off in the middle is no copy
                try:
                    b"".join(answer)
                except PlainSightError:
                    continue
            answers.append((at, answer.status_code))

    def destroy() -> Destruction:
        try:
            until(lambda: {status for _, status in answers} & {200, 206}, "it is heard before")
            destroyed = deeds.carry_out(made.pk, by=scene.bob)
            until(lambda: 410 in {status for _, status in answers}, "it is refused after")
            return destroyed
        finally:
            done.set()

    at_once(destroy, lambda: listen("audio.wav"), lambda: listen("audio.flac"))
    closed = Destruction.objects.get().closed_at
    assert closed is not None
    assert {status for _, status in answers} <= {200, 206, 410, 409}
    assert {status for at, status in answers if at > closed.timestamp()} == {410}
    assert {status for at, status in answers if at < closed.timestamp()} & {200, 206}
    assert gone(scene.row)


def test_killed_at_any_moment_it_is_there_as_before_or_gone(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "AN_HOUR", 1000)  # a campaign has more
    scene, states = make_scene(sealed(seconds=1).id), set()
    rng = random.Random(17)
    for number in kills(15):
        if number:
            scene = next_scene(scene, sealed(seconds=1).id)
        made = scene.approved(hours=25 + number)
        connections.close_all()
        child = os.fork()
        if not child:
            try:
                deeds.carry_out(made.pk, by=scene.bob)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        row = refresh(scene.row)
        state = Destruction.objects.get(pk=made.pk).state
        states.add(state)
        if row.destroyed_at is None:
            assert state == State.APPROVED
            assert untouched(row)
            continue
        with pytest.raises(PlainSightError):
            open_audio(row)
        finish_all(StopSignal())
        assert gone(row)
        assert Destruction.objects.get(pk=made.pk).state == State.DONE
    assert states <= {State.APPROVED, State.CLOSING, State.DONE}
