"""What no event may do to the state: a member that does not exist, an order that was not given."""

from __future__ import annotations

import pytest

from appliance.recorder.ipc.messages import RecordingClosed
from appliance.recorder.supervisor.machine import State, actions, events
from appliance.recorder.supervisor.machine.state import changed
from appliance.recorder.supervisor.machine.transition import Transition
from tests.support.schedules.parts import SECOND, parameters
from tests.support.schedules.world import World


@pytest.fixture
def recording() -> World:
    world = World().boot().start()
    world.run(SECOND)
    return world


def test_a_misspelled_member_is_refused_and_a_known_one_is_changed_alone() -> None:
    # mypy refuses each of these lines; if it ever lets one pass, it calls the comment in that line unused
    state = State()
    with pytest.raises(TypeError, match="phrase"):
        changed(state, phrase="idle")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="phrase"):
        Transition(state, parameters()).set(phrase="idle")  # type: ignore[call-arg]
    changed(state, phase="idol")  # type: ignore[arg-type]
    Transition(state, parameters()).set(acked_frame="1")  # type: ignore[arg-type]

    idle = changed(state, phase="idle")
    assert idle.phase == "idle"
    assert changed(idle, phase=state.phase) == state


def test_a_writer_that_says_closed_while_nobody_asked_it_to_close_is_not_idle(recording: World) -> None:
    before = recording.state.writer
    recording.handle(events.WriterReported(recording.now, RecordingClosed(recording=None, frames=0)))
    assert (before, recording.state.writer) == ("recording", "recording")


def test_a_shutdown_kills_no_capture_that_closes_when_it_is_asked(recording: World) -> None:
    recording.handle(events.ShutdownAsked(recording.now))
    recording.run(5 * SECOND)
    assert recording.exited == 0
    assert not [action for _, action in recording.log if isinstance(action, actions.KillCapture)]
