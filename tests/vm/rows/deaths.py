"""Row 3: the recorder is killed, stopped, and keeps dying."""

from __future__ import annotations

import time
from typing import Any

from tests.support.waiting import TimedOutError, until
from tests.vm import sound, trace
from tests.vm.box import RED, Box
from tests.vm.guest import GuestError
from tests.vm.limits import patience
from tests.vm.row import Row, progress
from tests.vm.stage import Stage

CAPTURE = "pgrep -o -f appliance.recorder.capture.process"
WRITER = "pgrep -o -f appliance.recorder.writer.process"
CRASHES = 8
"""So many deaths in a row: more than systemd's own limit of five in ten seconds would allow."""


def run(row: Row, stage: Stage) -> None:
    """Strike in the middle of meetings; then in a crash loop."""
    with stage.guest(row) as guest:
        box = Box(guest)
        sound.play(guest)
        struck: dict[str, str] = {}
        for name, signal in (("SIGKILL", "KILL"), ("SIGSTOP", "STOP")):
            struck[name] = _strike(row, box, name, signal)
        _lose_a_child(row, box)
        _crash_loop(row, box)
        _judge_archive(row, box, struck)


def _strike(row: Row, box: Box, name: str, signal: str) -> str:
    """Strike the recorder's main process in a meeting; return the recording."""
    before = int(box.show("plainsight-recorder", "NRestarts"))
    trace.begin(box.guest)
    recording = box.begin(5)
    pid = box.main_pid()
    progress(f"{name} for the recorder")
    box.guest.run(f"kill -{signal} {pid}")
    _wait_dark(box, name)
    events = trace.read(box.guest)
    found = trace.moments(events)
    row.hold(
        found.keys() >= {"released", "dark"} and not trace.disorder(events),
        f"{name}: microphone closed, then dark, by the kernel's own events",
        trace.disorder(events) or events,
    )
    row.hold(not box.level(RED), f"{name}: the lamp stays dark")
    box.wait_ready()
    row.hold(
        int(box.show("plainsight-recorder", "NRestarts")) == before + 1, f"{name}: started again once, idle and ready"
    )
    return recording


def _wait_dark(box: Box, name: str) -> None:
    try:
        until(lambda: not box.level(RED), f"{name}: dark", patience(10), pause=lambda: time.sleep(0.5))
    except TimedOutError as error:
        raise GuestError(str(error)) from error
    # lamps-out has put it out, so the trace has it as well
    time.sleep(1)


def _lose_a_child(row: Row, box: Box) -> None:
    """Kill capture, then writer, in one meeting each: the box says so, or goes on, and never hears in the dark."""
    for name, find in (("capture", CAPTURE), ("writer", WRITER)):
        trace.begin(box.guest)
        recording = box.begin(5)
        box.guest.run(f"kill -KILL $({find})")
        if name == "capture":
            _wait_for_more(box)
            found = box.status()
            row.hold(found.get("recording") == recording, "capture killed: the recording goes on", found)
            box.end()
        else:
            box.wait(lambda status: status.get("state") in {"idle", "fault"}, "its end", patience(10))
        box.wait_ready()
        wrong = trace.disorder(trace.read(box.guest))
        row.hold(not wrong, f"{name} killed: never open in the dark, by the kernel's own events", wrong)
        row.hold(not box.level(RED), f"{name} killed: dark after its end")


def _wait_for_more(box: Box) -> None:
    """Wait until three more seconds are acknowledged, or the recording has ended."""
    before = box.status()["acked_frame"]

    def more(status: dict[str, Any]) -> bool:
        return status.get("state") != "recording" or status["acked_frame"] > before + 3 * 48000

    box.wait(more, "sound is saved again", patience(10))


def _crash_loop(row: Row, box: Box) -> None:
    """Kill the recorder again and again; it never gives up, and is never lit."""
    before = int(box.show("plainsight-recorder", "NRestarts"))
    lit = 0
    for number in range(CRASHES):
        progress(f"crash {number + 1} of {CRASHES}")
        box.guest.run(
            "until pid=$(systemctl show -P MainPID plainsight-recorder) && [ $pid != 0 ]; do sleep 0.3; done; "
            "kill -KILL $pid",
            patience(10),
        )
        lit += box.level(RED)
    box.wait_ready()
    after = int(box.show("plainsight-recorder", "NRestarts"))
    row.hold(
        after >= before + CRASHES and lit == 0,
        f"{CRASHES} crashes in a row: dark each time, started again each time, idle and ready at the end",
        f"{after - before} restarts, lit {lit} times",
    )


def _judge_archive(row: Row, box: Box, struck: dict[str, str]) -> None:
    found = box.wait_sealed(set(struck.values()))
    for name, recording in struck.items():
        state = found[recording]
        row.hold(
            state["outcome"] == "interrupted" and state["frames"] >= 5 * 48000,
            f"{name}: {state['seconds']:.1f} s are sealed as interrupted",
            state,
        )
