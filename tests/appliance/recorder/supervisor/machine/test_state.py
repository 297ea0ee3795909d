"""What no event may do to the state: a member that does not exist, an order that was not given."""

from __future__ import annotations

import pytest

from appliance.recorder.ipc.messages import RecordingClosed
from appliance.recorder.supervisor.machine import State, actions, events
from appliance.recorder.supervisor.machine.handlers import handle
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


def test_a_second_order_to_shut_down_does_not_begin_the_time_for_it_anew() -> None:
    transition = Transition(State(now_ns=5 * SECOND), parameters())
    handle(transition, events.ShutdownAsked(5 * SECOND))
    transition.set(now_ns=9 * SECOND)
    handle(transition, events.ShutdownAsked(9 * SECOND))
    assert transition.state.shutdown_ns == 5 * SECOND


@pytest.mark.parametrize(
    ("state", "somebody"),
    [
        (State(now_ns=10 * SECOND), True),
        (State(now_ns=10 * SECOND, red=True), False),
        (State(now_ns=10 * SECOND, red_asked=True), False),
        (State(now_ns=10 * SECOND, device=True), False),
        (State(now_ns=10 * SECOND, red_ns=10 * SECOND - parameters().closes), True),
        (State(now_ns=10 * SECOND, red_ns=10 * SECOND - parameters().closes + 1), False),
    ],
)
def test_promise_1_who_holds_the_microphone_is_somebody_else_only_while_all_of_ours_is_dark(
    state: State, somebody: bool
) -> None:
    transition = Transition(state, parameters())
    handle(transition, events.Checked(state.now_ns, frozenset(), present=True, held=True))
    assert ("microphone-open" in (transition.state.checked or ())) == somebody
    handle(transition, events.Checked(state.now_ns, frozenset(), present=True, held=False))
    assert "microphone-open" not in (transition.state.checked or ())


def test_a_press_whose_release_was_never_seen_is_followed_by_the_same_press_again() -> None:
    transition = Transition(State(now_ns=90 * SECOND, phase="idle", writer="idle", button_ns=5 * SECOND), parameters())
    handle(transition, events.ButtonDown(90 * SECOND, "a" * 32))
    assert transition.state.button_repeated
    assert transition.state.recording is None
    assert transition.state.phase == "idle"


@pytest.mark.parametrize(
    ("since_ns", "same"), [(0, True), (parameters().repeat - 1, True), (parameters().repeat, False)]
)
def test_a_press_right_after_another_was_let_go_is_the_same_press(since_ns: int, same: bool) -> None:
    now_ns = 90 * SECOND
    transition = Transition(State(now_ns=now_ns, phase="ending", button_up_ns=now_ns - since_ns), parameters())
    handle(transition, events.ButtonDown(now_ns, "a" * 32))
    assert transition.state.button_repeated == same
    assert transition.state.button_ns == now_ns
