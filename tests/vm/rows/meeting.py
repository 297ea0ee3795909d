"""Row 1: one meeting, from the press to the archive."""

from __future__ import annotations

import numpy as np

from tests.vm import sound, trace
from tests.vm.box import GREEN, LAMP_SEEN, RED, Box
from tests.vm.row import Row
from tests.vm.stage import Stage

SECONDS = 20.0
TOLD = 1.5
"""The ledger's losses are as long as the true ones up to this, in seconds: under emulation the card overruns all the
time, and losses of the last second before the end cannot be told from waiting any more (gap_detector.CONFIRM_S)."""


def run(row: Row, stage: Stage) -> None:
    """Press, speak, hold; then judge by the kernel's events and by what the archive has."""
    with stage.guest(row) as guest:
        _run(row, Box(guest), stage)


def _run(row: Row, box: Box, stage: Stage) -> None:
    sound.play(box.guest)
    row.hold(not box.level(RED), "before the press the lamp is dark")
    row.hold(box.level(GREEN), "and green says ready")
    trace.begin(box.guest)
    recording = box.begin(SECONDS)
    row.hold(box.level(RED) and box.level(LAMP_SEEN), "while it records the lamp is lit, and seen to be lit")
    box.end()
    events = trace.read(box.guest)
    (stage.folder / "trace.txt").write_bytes(box.guest.read("/run/vm/trace"))
    judge_order(row, events)
    row.hold(not box.level(RED), "after the end the lamp is dark")
    judge_archive(row, box, recording, stage)
    faults = box.status().get("faults", [])
    row.hold(not faults, "amber tells nothing", faults)


def judge_order(row: Row, events: list[trace.Event]) -> None:
    """Hold promise 1 against what the kernel did."""
    found = trace.moments(events)
    if not row.hold(found.keys() >= {"lit", "opening", "released", "dark"}, "the kernel tells it all", found):
        return
    row.hold(
        not trace.disorder(events),
        f"red lit {found['opening'] - found['lit']:.3f} s before the microphone is opened, microphone closed "
        f"{found['dark'] - found['released']:.3f} s before red is dark, by the kernel's own events",
        trace.disorder(events),
    )


def judge_archive(row: Row, box: Box, recording: str, stage: Stage) -> sound.Heard:
    """Hold what arrived against what was played."""
    state = box.wait_sealed({recording})[recording]
    row.hold(state["outcome"] == "complete", "the archive seals it as complete", state)
    heard = sound.fetch(box, recording, stage.folder)
    row.hold(heard.verdict == "intact", "the checker calls the package intact", f"{heard.verdict}: {heard.problem}")
    found = sound.compare(heard.samples, heard.gaps, np.frombuffer(stage.meeting.read_bytes(), np.int16))
    row.hold(
        found.wrong == 0 and found.equal >= SECONDS / 2 * 48000 and abs(found.shift) <= TOLD * 48000,
        f"{found.equal / 48000:.2f} s at the archive equal what was played, sample for sample; the ledger tells "
        f"{found.gaps / 48000:.2f} s as lost, {abs(found.shift) / 48000:.2f} s beside the truth",
        found,
    )
    return heard
