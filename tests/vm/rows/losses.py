"""Row 2: the microphone goes and comes back; the network is cut for a whole meeting; broker and archive start again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.vm import sound
from tests.vm.box import RED, Box
from tests.vm.limits import SETTINGS, patience
from tests.vm.row import Row, progress
from tests.vm.stage import Stage

DRIVER: Final = "/sys/bus/platform/drivers/snd_aloop"
AWAY_S: Final = (10.0, 40.0, 300.0)
"""How long the microphone is away, in seconds of the guest."""
SLACK_S: Final = 2 * SETTINGS["stall_s"]
"""A gap may be longer than the absence by this, in seconds: as long as the scaled limits let the box look for sound,
and open the microphone anew."""


@dataclass(frozen=True)
class Absence:
    """One time without a microphone."""

    wanted_s: float
    real_s: float
    """As the guest's clock has it."""


def run(row: Row, stage: Stage) -> None:
    """Lose one thing after the other."""
    with stage.guest(row) as guest:
        box = Box(guest)
        sound.play(guest)
        recording = box.begin(5)
        absences = [_unplug(row, box, seconds) for seconds in AWAY_S]
        box.end()
        row.hold(not box.level(RED), "after the end the lamp is dark")
        box.wait_sealed({recording})
        heard = sound.fetch(box, recording, stage.folder)
        _judge_gaps(row, heard, absences, stage)
        _cut_network(row, box)
        _restart_archive(row, box)


def _clock(box: Box) -> float:
    return float(box.guest.run("cut -d' ' -f1 /proc/uptime"))


def _unplug(row: Row, box: Box, seconds: float) -> Absence:
    """Take the microphone's driver away for so long; the recording goes on, visibly not safe, and recovers."""
    progress(f"the microphone is away for {seconds:g} s")
    # blocks while a handle is open, so it runs beside the agent
    began = _clock(box)
    box.guest.spawn(f"echo snd_aloop.0 >{DRIVER}/unbind")
    time.sleep(seconds)
    if seconds > SETTINGS["stall_s"]:
        found = box.status()
        row.hold(
            found.get("state") == "recording" and found["lights"]["green"] == "off" and found["lights"]["red"] == "on",
            f"away for {seconds:g} s: red stays lit, green is out, and the recording goes on",
            found,
        )
    box.guest.run(f"echo snd_aloop.0 >{DRIVER}/bind", patience(5))
    back = _clock(box)
    acked = box.status().get("frames", 0)
    found = box.wait(
        lambda status: (
            status.get("state") != "recording" or (status["acked_frame"] > acked and status["lights"]["green"] == "on")
        ),
        "sound is saved again",
        patience(20),
    )
    row.hold(found.get("state") == "recording", f"back after {seconds:g} s: green again", found)
    return Absence(seconds, back - began)


def _judge_gaps(row: Row, heard: sound.Heard, absences: list[Absence], stage: Stage) -> None:
    row.hold(heard.verdict == "intact", "the checker calls the package intact", f"{heard.verdict}: {heard.problem}")
    longest = sorted((frames / 48000 for _, frames in heard.gaps), reverse=True)
    told = sum(longest)
    away = sum(absence.real_s for absence in absences)
    row.hold(
        -1 <= told - away <= SLACK_S * len(absences),
        f"the microphone was away for {away:.1f} s, the ledger tells {told:.1f} s of silence",
        heard.gaps,
    )
    found = sound.compare(heard.samples, heard.gaps, np.frombuffer(stage.meeting.read_bytes(), np.int16))
    row.hold(found.wrong == 0 and found.equal > 0, "all other sound is what was played", found)


def _cut_network(row: Row, box: Box) -> None:
    progress("the network is cut for a whole meeting")
    box.guest.run("ip addr del 10.77.0.1/24 dev district0; ss -K dst 10.77.0.1 >/dev/null; true")
    recording = box.begin(10)
    box.end()
    row.hold(recording not in box.recordings(), "without a network the meeting is recorded, and nothing arrives")
    box.guest.run("ip addr add 10.77.0.1/24 dev district0")
    found = box.wait_sealed({recording}, patience(60))[recording]
    row.hold(found["outcome"] == "complete", f"with the network back it is sealed as complete ({found['seconds']} s)")


def _restart_archive(row: Row, box: Box) -> None:
    progress("broker and archive are restarted in a meeting")
    recording = box.begin(5)
    box.guest.run(
        "systemctl restart mosquitto plainsight-archive-web plainsight-archive-worker plainsight-archive-listen",
        patience(30),
    )
    found = box.status()
    row.hold(found.get("recording") == recording, "broker and archive are restarted, and the recording goes on", found)
    box.end()
    state = box.wait_sealed({recording}, patience(60))[recording]
    row.hold(state["outcome"] == "complete", "it is sealed as complete")
    box.guest.run(
        'until grep -q \'"broker":"up"\' /var/lib/plainsight-courier/progress.json; do sleep 1; done', patience(20)
    )
    row.hold(True, "the courier found the broker again")
