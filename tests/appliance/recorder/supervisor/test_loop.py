"""The supervisor with real child processes that speak the protocol: promises 1 and 2 outside the pure core."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.contract.ledger import AudioSpan, Lamp
from appliance.recorder.ipc.messages import BeginRecording, EndRecording, EnterFact, EnterPause, ExpectGap, StopWriter
from appliance.recorder.supervisor.machine.state import changed
from appliance.recorder.supervisor.processes import Processes, Programs
from appliance.simulator.fakes import FakePanel
from tests.support.box.supervisor import FAKES, Running, plug
from tests.support.lateness import Lateness
from tests.support.waiting import until

MS = 1_000_000


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Running]:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    plug(tmp_path)
    return lambda programs=FAKES, **sections: Running(tmp_path, FakePanel(), programs, **sections)


def red(running: Running) -> list[tuple[int, str]]:
    return [(moment, state) for moment, light, state in running.panel.history if light == "red"]


def test_promise_1_lamp_first_and_microphone_closed_first(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
        running.press()
        running.until("idle")
        running.release()
        lit, dark = red(running)[-2:]
    assert (lit[1], dark[1]) == ("on", "off")
    [(opened, _)], [(closed, _)] = running.said("open"), running.said("closed")
    assert lit[0] < opened < closed < dark[0]
    assert not running.said("OPEN IN THE DARK")
    kinds = [
        (fact.kind, fact.lit if isinstance(fact, Lamp) else fact.open)
        for fact in running.facts()
        if isinstance(fact, (Lamp, AudioSpan))
    ]
    assert kinds == [("lamp", True), ("audio", True), ("audio", False), ("lamp", False)]
    assert isinstance(running.writer_log()[0], BeginRecording)
    assert running.writer_log()[-2:] == [EndRecording(reason="button"), StopWriter()]


def test_promise_1_somebody_else_who_hears_in_the_dark_is_told_and_the_press_refused(
    make: Callable[..., Running], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status = tmp_path / "asound" / "card0" / "pcm0c" / "sub0" / "status"
    status.parent.mkdir(parents=True)
    status.write_text("state: RUNNING\n")
    with make(times={"check_s": 0.05}) as running:
        running.until("fault")
        until(lambda: running.panel.last("amber") == "slow 5", "amber")
        running.tap()
        status.write_text("closed\n")
        running.until("idle")
        assert not running.said("open")
        running.start()
        status.write_text("state: RUNNING\n")  # our own capture
        until(lambda: len(running.panel.history) > 0 and running.supervisor.state.acked_frame > 20000, "checked again")
        assert running.panel.last("amber") == "off"
        # a busy machine may leave more than a second between the dark and this test's next line
        status.write_text("closed\n")
        running.press()
        until(lambda: running.panel.last("red") == "off", "dark")
        running.release()
        running.until("idle")
    # by its name: beside other work the lamp's sensor may be late, which is told by as many blinks and taken back
    assert caplog.text.count("amber 5 (microphone-open)") == 1


def test_pause_and_resume_open_a_new_generation(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
        running.tap()
        until(lambda: red(running)[-1][1] == "off", "dark")
        assert running.panel.last("green") == "slow"
        running.tap()
        until(lambda: len(running.said("open")) == 2, "opened again")
        until(lambda: running.panel.last("green") == "on", "green")
    generations = [fact.generation for fact in running.facts() if isinstance(fact, AudioSpan) and fact.open]
    assert generations == [1, 2]


def changed_ns(running: Running, light: str, state: str, after_ns: int) -> int:
    """Wait until a light is put into a state after a moment, and return when it was."""

    def found() -> list[int]:
        return [at_ns for at_ns, *changed in running.panel.history if changed == [light, state] and at_ns > after_ns]

    return until(found, f"{light} {state}")[0]


def test_a_capture_process_that_hangs_on_close_is_killed_and_then_it_is_dark(
    make: Callable[..., Running], machine: Lateness
) -> None:
    with make() as running:
        running.start()
        (running.folder / "hang-on-close").touch()
        running.tap()
        released = time.monotonic_ns()
        # this test is told a moment later than the supervisor that the button was let go
        up_ns = running.supervisor.state.button_up_ns
        dark = changed_ns(running, "red", "off", released)
        (running.folder / "hang-on-close").unlink()
    assert up_ns is not None
    assert dark - up_ns > 140 * MS
    assert machine.taken_ns(released, dark) < 300 * MS
    noted = [message for message in running.writer_log() if isinstance(message, (EnterFact, EnterPause))]
    # beside other work the lamp's sensor may be late as well, which is told and taken back
    entered = [one for one in noted if isinstance(one, EnterPause) or one.fact.kind != "fault"]
    assert isinstance(entered[-1], EnterPause)
    assert entered[-1].paused


def test_a_message_that_no_recorder_knows_is_told_by_amber(make: Callable[..., Running]) -> None:
    with make() as running:
        running.until("idle")
        (running.folder / "nonsense").touch()
        until(lambda: "software" in running.supervisor.state.faults, "the fault is told")
        until(lambda: running.panel.last("amber") == "slow 9", "amber")


def test_a_stalled_stream_is_replaced_within_the_recording(make: Callable[..., Running], machine: Lateness) -> None:
    with make(times={"stall_s": 0.5}) as running:
        running.start()
        stalled_ns = time.monotonic_ns()
        (running.folder / "stall").touch()
        until(lambda: "microphone-stalled" in running.supervisor.state.faults, "the stall is noticed")
        assert machine.taken_ns(stalled_ns, changed_ns(running, "amber", "slow 2", stalled_ns)) < 2_000 * MS
        (running.folder / "stall").unlink()
        until(lambda: running.panel.last("green") == "on", "green again")
        assert running.status().faults == []
        running.press()
        running.until("idle")
        running.release()
    causes = [message.cause for message in running.writer_log() if isinstance(message, ExpectGap)]
    assert causes == ["stall"]


def test_a_killed_capture_process_is_replaced_within_the_recording(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
        capture = running.supervisor._processes._capture
        assert capture is not None
        os.kill(capture.process.pid, signal.SIGKILL)
        until(lambda: len(running.said("open")) == 2, "opened again")
        assert running.phase == "recording"
    assert [message.cause for message in running.writer_log() if isinstance(message, ExpectGap)] == ["capture-died"]


def test_promise_2_a_writer_that_hangs_puts_green_out_then_ends_the_recording_visibly(
    make: Callable[..., Running], machine: Lateness
) -> None:
    with make(times={"ack_s": 0.5, "unsafe_s": 1.5, "drain_s": 0.5}) as running:
        running.start()
        hung_ns = time.monotonic_ns()
        (running.folder / "hang").touch()
        green_ns = changed_ns(running, "green", "off", hung_ns)
        red_ns = changed_ns(running, "red", "off", hung_ns)
        assert green_ns < red_ns, "green goes out while it still records"
        assert machine.taken_ns(hung_ns, green_ns) < 2_000 * MS
        assert machine.taken_ns(green_ns, red_ns) < 4_000 * MS
        until(lambda: running.panel.last("amber").startswith("slow"), "amber")
        (running.folder / "hang").unlink()
        running.until("idle")
        assert "recording-ended" in running.supervisor.state.faults


def test_a_writer_that_dies_ends_the_recording_visibly_and_is_started_again(
    make: Callable[..., Running], machine: Lateness
) -> None:
    with make() as running:
        running.start()
        writer = running.supervisor._processes.writer
        assert writer is not None
        killed_ns = time.monotonic_ns()
        writer.kill()
        assert machine.taken_ns(killed_ns, changed_ns(running, "red", "off", killed_ns)) < 2_000 * MS
        until(lambda: running.panel.last("amber").startswith("slow"), "amber")
        running.until("idle")


def test_promise_1_a_lamp_that_fails_closes_the_microphone(make: Callable[..., Running], machine: Lateness) -> None:
    with make() as running:
        running.start()
        failed = time.monotonic_ns()
        running.panel.happen("lamp-unseen")
        until(lambda: red(running)[-1][1] == "off", "dark")
        closed = until(lambda: running.said("closed"), "closed")[0][0]
        assert machine.taken_ns(failed, closed) < 1_000 * MS
        assert "lamp-dark" in running.supervisor.state.faults
        until(
            lambda: any(isinstance(message, EndRecording) for message in running.writer_log()), "the recording is ended"
        )
    assert [message.reason for message in running.writer_log() if isinstance(message, EndRecording)] == ["fault"]


def test_promise_1_a_lamp_that_is_not_seen_opens_nothing(make: Callable[..., Running]) -> None:
    with make() as running:
        running.until("idle")
        running.panel.lamp_broken = True
        running.tap()
        until(lambda: "lamp-dark" in running.supervisor.state.faults, "the lamp's fault is told")
        until(lambda: red(running)[-1][1] == "off", "dark")
        assert not running.said("open")
        assert not [message for message in running.writer_log() if isinstance(message, BeginRecording)]


def test_an_absent_microphone_refuses_the_press(make: Callable[..., Running]) -> None:
    running = make(times={"check_s": 0.1})
    plug(running.folder, plugged=False)
    with running:
        running.until("fault")
        running.tap()
        until(lambda: running.status().faults == ["microphone-missing"], "the fault is told")
        assert "on" not in [state for _, state in red(running)]
        plug(running.folder)
        running.until("idle")


def test_sigterm_ends_a_recording_in_good_order(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
    assert running.status_code == 0
    assert [message.reason for message in running.writer_log() if isinstance(message, EndRecording)] == ["shutdown"]
    assert red(running)[-1][1] == "off"
    assert running.said("closed")


def test_a_lost_panel_ends_the_recorder_with_status_1(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
        running.panel.happen("panel-lost")
        until(lambda: running.status_code is not None, "the end")
    assert running.status_code == 1
    assert running.said("closed")


def test_a_program_that_cannot_start_is_a_fault_and_no_press_is_taken(make: Callable[..., Running]) -> None:
    with make(Programs(capture="tests.appliance.recorder.no_such_module", writer=FAKES.writer)) as running:
        until(lambda: "capture-died" in running.supervisor.state.faults, "the fault is told")
        running.tap()
        running.until("fault")
        assert not [message for message in running.writer_log() if isinstance(message, BeginRecording)]


def test_the_status_file_says_what_the_lights_say(make: Callable[..., Running]) -> None:
    with make() as running:
        running.start()
        until(lambda: running.status().lights.green == "on" and running.status().state == "recording", "told")
        status = running.status()
        assert (status.lights.red, status.lights.amber) == ("on", "off")
        assert status.recording == running.supervisor.state.recording
        assert (status.lamp, status.panel) == ("verified", "simulated")
        assert status.acked_frame > 0


def test_systemd_hears_nothing_from_a_supervisor_whose_state_does_not_hold(
    make: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = make().supervisor
    fed: list[bool] = []
    monkeypatch.setattr(supervisor._notifier, "watchdog", lambda: fed.append(True))
    supervisor._notify_watchdog()
    assert fed == [True]
    supervisor.state = changed(supervisor.state, device=True)  # the microphone may be open, and the lamp is dark
    supervisor._notify_watchdog()
    assert fed == [True]


def test_a_new_writer_is_not_blamed_for_what_its_predecessor_died_in(make: Callable[..., Running]) -> None:
    with make(times={"slow_s": 0.1}) as running:
        running.until("idle")
        running.supervisor.ring.set_busy_since(1)
        until(lambda: "spool-slow" in running.supervisor.state.faults, "the hang is told")
        writer = running.supervisor._processes.writer
        assert writer is not None
        writer.kill()
        until(lambda: "writer-died" in running.supervisor.state.faults, "its death is told")
        running.until("idle")
        assert running.supervisor.ring.busy_since_ns is None
        assert "spool-slow" not in running.supervisor.state.faults


def test_promise_1_what_cannot_be_killed_may_still_hear_and_leaves_the_lamp_as_it_is(
    make: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = Processes.stop_capture

    def kernel_holds_it(processes: Processes) -> bool:
        kill(processes)
        return False

    monkeypatch.setattr(Processes, "stop_capture", kernel_holds_it)
    with make() as running:
        running.start()
        running.supervisor._exit = 1  # whatever ends the loop while a device is open
        until(lambda: not running.running, "the end")
    assert running.supervisor.left_open
    assert red(running)[-1][1] == "on"
