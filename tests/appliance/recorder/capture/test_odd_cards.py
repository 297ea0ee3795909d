"""Cards that are not mono, 16 bits and 48 kHz, on real ALSA and real PortAudio."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.contract.errors import DeviceError
from appliance.recorder.ipc.messages import CaptureFailed, MicrophoneOpening
from appliance.recorder.ipc.ring import Consumer
from appliance.simulator.microphone.device import DEVICE, SimulatedMicrophone
from tests.support.box.capture import CaptureProcess, Witness
from tests.support.box.folder import ROOT
from tests.support.box.writer import Samples, speech
from tests.support.waiting import until


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture
def microphone(tmp_path: Path, library_folder: Path) -> Iterator[SimulatedMicrophone]:
    spoken = tmp_path / "spoken.raw"
    spoken.write_bytes(speech(48000 * 10).tobytes())
    try:
        made = SimulatedMicrophone(tmp_path, spoken, library_folder)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    witness = Witness(made.socket)
    with made:
        yield made
    witness.close()


def heard(microphone: SimulatedMicrophone, *arguments: str, rate: int = 48000, device: str = DEVICE) -> Samples:
    capture = CaptureProcess(microphone, rate=rate, arguments=arguments)
    try:
        capture.running(device)
        consumer, parts = Consumer(capture.ring), list[bytes]()
        until(lambda: consumer.waiting() >= 5, "five blocks")
        while (block := consumer.read()) is not None:
            parts.append(block.data)
        return np.frombuffer(b"".join(parts), np.int16)
    finally:
        capture.finish()


def is_spoken(microphone: SimulatedMicrophone, samples: Samples) -> bool:
    raw = (microphone.folder / "spoken.raw").read_bytes()
    return samples[:64].tobytes() in raw + raw[:128]


def test_one_channel_of_two_is_taken_and_the_silent_one_left(microphone: SimulatedMicrophone) -> None:
    microphone.shape(channels=2, right="alone")
    assert is_spoken(microphone, heard(microphone, "--channels=2", "--channel=right"))
    assert not heard(microphone, "--channels=2").any()


def test_opposite_phases_do_not_cancel_each_other(microphone: SimulatedMicrophone) -> None:
    microphone.shape(channels=2, right="opposite")
    assert is_spoken(microphone, heard(microphone, "--channels=2"))


@pytest.mark.parametrize("offset", [0.0, -0.11])
def test_a_quiet_microphone_of_24_bits_in_32_is_raised_to_what_was_said_and_its_offset_is_not(
    microphone: SimulatedMicrophone, offset: float
) -> None:
    microphone.shape(channels=2, bits=32, right="silent")
    microphone.amplify(-40)
    microphone.shift(offset)
    samples = heard(microphone, "--channels=2", "--bits=32", "--gain-db=40")
    assert np.abs(samples.astype(int)).max() < 32767
    assert np.median(samples) == pytest.approx(offset * 32768, abs=500)
    raw = np.fromfile(microphone.folder / "spoken.raw", "<i2").astype(int)
    moves, moved = np.diff(np.concatenate([raw, raw[:64]])), np.diff(samples[:64].astype(int))
    places = np.flatnonzero(np.abs(moves[: raw.size] - moved[0]) <= 3)
    assert any(np.max(np.abs(moves[at : at + 63] - moved)) <= 3 for at in places)


def test_a_card_of_two_channels_opened_with_one_gives_its_first(microphone: SimulatedMicrophone) -> None:
    microphone.shape(channels=2, bits=32, right="opposite")
    samples = heard(microphone)
    raw = np.fromfile(microphone.folder / "spoken.raw", "<i2").astype(int)
    raw = np.concatenate([raw, raw[:64]])
    places = np.flatnonzero(np.abs(raw[:-64] - samples[0]) <= 1)
    assert any(np.max(np.abs(raw[at : at + 64] - samples[:64])) <= 1 for at in places)


def test_the_shipped_configuration_gives_the_first_channel_and_mixes_nothing(microphone: SimulatedMicrophone) -> None:
    # what ALSA's plug does to channels is decided by its policy, whose default is to average them
    shipped = (ROOT / "firmware_config" / "asound.conf").read_text(encoding="utf-8")
    policy = re.search(r"^\s*route_policy (\w+)$", shipped, re.MULTILINE)
    assert policy is not None
    microphone.shape(channels=2, right="opposite")
    with (microphone.folder / "asound.conf").open("a") as file:
        file.write(
            f"pcm.converted {{ type plug slave.pcm {DEVICE} route_policy {policy[1]} "
            "hint { show on description converted } }\n"
        )
    assert is_spoken(microphone, heard(microphone, device="converted"))


@pytest.mark.parametrize(("rate", "channels", "bits"), [(44100, 1, 16), (16000, 1, 16), (44100, 2, 32)])
def test_a_card_that_does_not_open_as_set_says_what_it_can_do(
    microphone: SimulatedMicrophone, rate: int, channels: int, bits: int
) -> None:
    microphone.shape(rate=rate, channels=channels, bits=bits)
    capture = CaptureProcess(microphone)
    try:
        capture.light()
        capture.start()
        capture.receive(MicrophoneOpening)
        failed = capture.receive(CaptureFailed)
        assert failed.code == "not-supported"
        assert f"channels = {channels}, bits = {bits}, rate = {rate}" in failed.message
        assert "[microphone]" in failed.message
    finally:
        capture.finish()
    assert heard(microphone, f"--channels={channels}", f"--bits={bits}", rate=rate).any()
