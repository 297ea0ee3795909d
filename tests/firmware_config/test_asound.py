"""The box's ALSA configuration, read by real ALSA and real PortAudio, without a sound card."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.systemd.units import RECORDER, service

from .pins import ROOT

FILE = ROOT / "firmware_config" / "asound.conf"
LIST = """
import json, pyaudio
audio = pyaudio.PyAudio()
found = [audio.get_device_info_by_index(n) for n in range(audio.get_device_count())]
print(json.dumps({device["name"]: device["maxInputChannels"] for device in found}))
"""


def example() -> dict[str, object]:
    text = (ROOT / "appliance" / "recorder" / "recorder.example.toml").read_text(encoding="utf-8")
    microphone: dict[str, object] = tomllib.loads(text)["microphone"]
    return microphone


def aplay(path: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        ["aplay", "-L"], env={**os.environ, "ALSA_CONFIG_PATH": str(path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def without_card(text: str) -> str:
    """Put a null device in the place of the card, which test machines have not got."""
    replaced, count = re.subn(r"slave\.pcm \{.*?\n\t\}", "slave.pcm { type null }", text, flags=re.DOTALL)
    assert count == 1
    return replaced


def test_alsa_reads_it_without_a_word() -> None:
    # it exits 0 after a syntax error: only silence counts
    status, _, said = aplay(FILE)
    assert (status, said) == (0, "")


def test_alsa_lists_the_one_microphone(tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text(without_card(FILE.read_text()))
    status, listed, said = aplay(path)
    assert (status, said) == (0, "")
    assert [line for line in listed.splitlines() if line[:1].strip()] == [example()["device"]]


def test_the_check_above_notices_a_syntax_error(tmp_path: Path) -> None:
    path = tmp_path / "asound.conf"
    path.write_text(FILE.read_text().replace("}", "", 1))
    assert aplay(path)[2]


def test_the_unit_names_it() -> None:
    assert "ALSA_CONFIG_PATH=/etc/plainsight/asound.conf" in service(RECORDER)["Environment"]


def test_the_card_is_called_the_same_everywhere() -> None:
    card = str(example()["card"])
    assert re.findall(r"^\t\tcard (\w+)$", FILE.read_text(), flags=re.MULTILINE) == [card]
    assert f'ATTR{{id}}="{card}"' in (ROOT / "firmware_config" / "99-plainsight.rules").read_text()


def portaudio(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "asound.conf").write_text(without_card(text))
    return subprocess.run(
        [sys.executable, "-c", LIST], env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_portaudio_finds_the_one_microphone(tmp_path: Path) -> None:
    found: dict[str, int] = json.loads(portaudio(tmp_path, FILE.read_text()).stdout)
    assert [name for name, inputs in found.items() if inputs] == [example()["device"]]


def test_the_device_without_inputs_is_needed(tmp_path: Path) -> None:
    # PortAudio 19.6 asserts that one of its special names is left over; where it no longer does, the entry may go
    text, count = re.subn(r"pcm\.dmix \{.*?\n\}", "", FILE.read_text(), flags=re.DOTALL)
    assert count == 1
    done = portaudio(tmp_path, text)
    assert done.returncode < 0, "this PortAudio lists devices without dmix or default"
    assert "Assertion" in done.stderr
