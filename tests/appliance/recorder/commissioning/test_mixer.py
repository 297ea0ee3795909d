"""Commissioning advises a mixer only to whom has one."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from appliance.recorder.commissioning import mixer
from appliance.recorder.settings import MicrophoneSettings
from tests.support.box.supervisor import plug


def of(tmp_path: Path, **members: Any) -> MicrophoneSettings:
    plug(tmp_path)
    values = {"device": "test", "card": "Test", "asound": tmp_path / "asound", **members}
    return MicrophoneSettings.model_validate(values)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A control device that gives these names, as the kernel's ioctl does."""
    given: list[str] = []
    (tmp_path / "controlC0").touch()

    def ioctl(_: object, request: int, asked: Any) -> int:
        # SNDRV_CTL_IOCTL_ELEM_LIST of a 64-bit kernel
        assert request == 0xC0505510
        for number, name in enumerate(given):
            asked.ids[number].name = name.encode()
        asked.used = asked.count = len(given)
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    return given


def test_a_card_with_a_capture_level_is_turned_with_it(tmp_path: Path, names: list[str]) -> None:
    names[:] = ["Playback Volume", "Mic Capture Volume"]
    assert mixer.controls(0, tmp_path) == names
    assert "alsamixer" in mixer.gain_advice(of(tmp_path), tmp_path).up


@pytest.mark.parametrize("found", [[], ["Playback Volume", "Headphone Jack"]])
def test_a_card_without_one_is_not_sent_to_a_mixer(tmp_path: Path, names: list[str], found: list[str]) -> None:
    names[:] = found
    advice = mixer.gain_advice(of(tmp_path), tmp_path)
    assert "alsamixer" not in advice.up + advice.down
    assert "microphone.bits = 32" in advice.up


def test_a_card_that_is_not_known_is_sent_to_a_mixer_only_if_it_has_one(tmp_path: Path) -> None:
    advice = mixer.gain_advice(of(tmp_path, card=""), tmp_path)
    assert all("with alsamixer if its card has a mixer" in words for words in (advice.up, advice.down))


def test_32_bits_are_raised_by_the_setting(tmp_path: Path) -> None:
    advice = mixer.gain_advice(of(tmp_path, bits=32, gain_db=12.0), tmp_path)
    assert advice.up == "raise microphone.gain_db (now 12)"


def test_a_control_device_that_is_not_there_or_is_none_has_no_controls(tmp_path: Path) -> None:
    (tmp_path / "controlC1").write_bytes(b"no device")
    assert mixer.controls(0, tmp_path) == mixer.controls(1, tmp_path) == []


def test_the_kernels_structures_have_their_size() -> None:
    assert (ctypes.sizeof(mixer._ElementId), ctypes.sizeof(mixer._ElementList)) == (64, 80)
