"""The figures beside the lights: the last recording's stay, codes have words, and waiting uploads are said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.simulator.web import Figures

RECORDING = "a" * 32


@pytest.fixture
def figures(tmp_path: Path) -> Figures:
    return Figures(tmp_path / "status.json", tmp_path / "progress.json")


def recorder_says(figures: Figures, **members: Any) -> None:
    word = {"monotonic_ns": time.monotonic_ns(), "rate": 8000, "state": "idle", "faults": [], "recording": None}
    assert figures.status is not None
    figures.status.write_text(json.dumps({**word, "frames": 0, "acked_frame": 0, **members}))


def courier_says(figures: Figures, **members: Any) -> None:
    word = {"broker": "up", "archive": "up", "recordings": {RECORDING: {"frames": 16000, "state": "receiving"}}}
    assert figures.progress is not None
    figures.progress.write_text(json.dumps({**word, **members}))


def test_without_a_word_of_the_recorder_nothing_is_known(figures: Figures) -> None:
    assert figures.read() == {"word": False}


def test_the_figures_of_the_last_recording_stay_after_its_end(figures: Figures) -> None:
    recorder_says(figures, state="recording", recording=RECORDING, frames=24000, acked_frame=20000)
    courier_says(figures)
    figures.read()
    recorder_says(figures)
    told = figures.read()
    assert (told["recorded_s"], told["acknowledged_s"], told["archived_s"]) == (3.0, 2.5, 2.0)
    assert (told["state"], told["recording"]) == ("Idle", None)
    courier_says(figures, recordings={RECORDING: {"frames": 26000, "state": "sealed"}})
    told = figures.read()
    assert (told["recorded_s"], told["acknowledged_s"], told["archived_s"]) == (3.2, 3.2, 3.2)


def test_each_code_says_what_is_wrong_and_what_to_do(figures: Figures) -> None:
    recorder_says(figures, faults=["microphone-missing"])
    (code,) = figures.read()["codes"]
    assert (code["blinks"], code["cause"]) == (1, "The microphone is not there.")
    assert code["remedy"].startswith("Plug the microphone in")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"archive": "down"}, "Uploads wait: the archive does not answer."),
        ({"archive": "refusing"}, "Uploads wait: the archive refuses this box."),
        ({"broker": "down"}, "Status reports wait: the broker does not answer."),
    ],
)
def test_what_waits_is_said(figures: Figures, members: dict[str, str], text: str) -> None:
    recorder_says(figures)
    courier_says(figures, **members)
    assert text in figures.read()["uploads"]
