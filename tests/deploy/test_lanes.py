"""The lanes of `deploy/test`: so many parts at a time and no more, and a part that is killed keeps none."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until

LIBRARY = Path(__file__).resolve().parents[2] / "deploy" / "lib" / "lanes.sh"
Part = subprocess.Popen[bytes]


class Lanes:
    """Parts that share one lane."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Part] = []

    def part(self, command: str) -> Part:
        words = ["bash", "-c", f'. {LIBRARY}; in_a_lane "$@"', "--", str(self.folder), "1", "sh", "-c", command]
        self.started.append(subprocess.Popen(words, cwd=self.folder, start_new_session=True))
        return self.started[-1]

    def end(self) -> None:
        for part in self.started:
            # what a killed shell leaves running is in its group
            try:
                os.killpg(part.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            part.wait()


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    yield made
    made.end()


def test_a_part_begins_when_the_one_before_it_has_ended_and_gives_its_status(lanes: Lanes) -> None:
    go_on = lanes.folder / "go on"
    first = lanes.part("echo begun >>log; until [ -e 'go on' ]; do sleep 0.02; done; echo ended >>log; exit 3")
    log = lanes.folder / "log"
    until(log.exists, "the first part begins")
    second = lanes.part("echo next >>log")
    until(lambda: waits_in_turn(second), "the second part waits")
    go_on.touch()
    assert (first.wait(60), second.wait(60)) == (3, 0)
    assert log.read_text().split() == ["begun", "ended", "next"]


def test_a_part_whose_shell_is_killed_frees_its_lane_although_its_command_goes_on(lanes: Lanes) -> None:
    first = lanes.part("touch begun; sleep 600")
    until((lanes.folder / "begun").exists, "the first part begins")
    second, third = lanes.part("true"), lanes.part("true")
    first.kill()
    assert (second.wait(60), third.wait(60)) == (0, 0)


def waits_in_turn(part: Part) -> bool:
    """Whether it has the turn: it looks for a free lane."""
    folder = Path(f"/proc/{part.pid}/fd")
    return any(path.is_symlink() and path.readlink().name == "turn" for path in folder.iterdir())
