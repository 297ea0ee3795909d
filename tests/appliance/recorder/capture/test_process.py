"""The capture process, real, on real PortAudio and the test microphone: never open without a lit lamp (promise 1)."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract.errors import DeviceError
from appliance.recorder import capture as capture_package
from appliance.recorder.capture import conversion
from appliance.recorder.capture.input_format import InputFormat
from appliance.recorder.capture.process import import_modules
from appliance.recorder.capture.stream import StreamError, arrived_ns, choose
from appliance.recorder.ipc.messages import (
    CaptureFailed,
    CaptureReady,
    CloseMicrophone,
    Message,
    MicrophoneClosed,
    MicrophoneOpening,
)
from appliance.recorder.ipc.ring import Consumer, Ring
from appliance.recorder.settings import Times
from appliance.simulator.microphone.device import DEVICE, SimulatedMicrophone
from tests.support.box.capture import CaptureProcess, Witness
from tests.support.box.folder import ROOT
from tests.support.box.writer import speech
from tests.support.lateness import Lateness
from tests.support.waiting import until


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture
def microphone(tmp_path: Path, library_folder: Path) -> Iterator[SimulatedMicrophone]:
    spoken = tmp_path / "spoken.raw"
    spoken.write_bytes(speech(48000 * 60).tobytes())
    try:
        made = SimulatedMicrophone(tmp_path, spoken, library_folder)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    with made:
        yield made


@pytest.fixture
def witness(microphone: SimulatedMicrophone) -> Iterator[Witness]:
    made = Witness(microphone.socket)
    yield made
    made.close()


@pytest.fixture
def capture(microphone: SimulatedMicrophone, witness: Witness) -> Iterator[CaptureProcess]:
    made = CaptureProcess(microphone)
    yield made
    made.finish()


def patched(folder: Path, code: str) -> str:
    """Return PYTHONPATH under which capture, and only it, runs `code` first."""
    head = "import ctypes, sys\nfrom appliance.recorder.ipc import ring\n"
    body = "".join(f"    {line}\n" for line in code.splitlines())
    text = f"{head}if 'appliance.recorder.capture.process' in sys.orig_argv:\n{body}"
    (folder / "sitecustomize.py").write_text(text)
    return f"PYTHONPATH={folder}:{ROOT}"


def last_captured_ns(ring: Ring) -> int:
    """When the last pushed block arrived; it stays where it is for whoever takes it."""
    return ring._head(ring.write_seq)[1]


def taken(ring: Ring) -> list[Any]:
    consumer = Consumer(ring)
    blocks = []
    while (block := consumer.read()) is not None:
        blocks.append(block)
    return blocks


def test_every_sample_from_the_start_on_arrives_once_and_closing_is_quick(
    capture: CaptureProcess, witness: Witness, microphone: SimulatedMicrophone, machine: Lateness
) -> None:
    capture.light()
    capture.start()
    opening = capture.receive(MicrophoneOpening)
    # the witness reads what the device said on a thread of its own
    until(lambda: witness.of("open"), "the device says that it is open")
    first_open = witness.of("open")[0]
    assert opening.at_ns < first_open["t_ns"]
    until(lambda: capture.ring.write_seq >= 12, "a second of audio")
    asked_ns = time.monotonic_ns()
    capture.control.send(CloseMicrophone())
    closed = capture.receive(MicrophoneClosed)
    assert capture.process.wait(60) == 0
    assert opening.at_ns < asked_ns < closed.at_ns
    assert machine.taken_ns(asked_ns, closed.at_ns) < 300_000_000
    until(lambda: witness.of("closed"), "the device says that it is closed")
    assert witness.of("closed")[-1]["t_ns"] <= closed.at_ns
    blocks = taken(capture.ring)
    assert not any(block.damaged for block in blocks)
    assert {block.generation for block in blocks} == {1}
    heard = np.frombuffer(b"".join(block.data for block in blocks), np.int16)
    position = witness.of("started")[-1]["position"]
    spoken = np.fromfile(microphone.folder / "spoken.raw", np.int16)
    assert np.array_equal(heard, spoken[position : position + heard.size])


def test_promise_1_without_a_lit_lamp_nothing_is_opened_not_even_to_look(
    capture: CaptureProcess, witness: Witness
) -> None:
    capture.start()
    assert capture.receive(CaptureFailed).code == "lamp-dark"
    assert capture.process.wait(60) == 1
    assert witness.log == []


def test_promise_1_a_warm_process_has_touched_no_device(capture: CaptureProcess, witness: Witness) -> None:
    capture.light()
    capture.receive(CaptureReady)
    capture.control.send(CloseMicrophone())
    assert capture.process.wait(60) == 0
    assert witness.log == []


def test_promise_1_a_heartbeat_that_stops_closes_the_microphone(
    capture: CaptureProcess, witness: Witness, machine: Lateness
) -> None:
    capture.running()
    capture.stop_heart()
    stopped_ns = capture.ring.heartbeat_ns
    assert capture.receive(CaptureFailed).code == "lamp-dark"
    capture.receive(MicrophoneClosed)
    until(lambda: witness.open == 0, "every handle is closed")
    assert witness.last_close_ns - stopped_ns >= 500_000_000
    assert machine.taken_ns(stopped_ns, witness.last_close_ns) < 1_000_000_000


def test_promise_1_a_lamp_that_goes_dark_closes_the_microphone_at_once(
    capture: CaptureProcess, witness: Witness, machine: Lateness
) -> None:
    capture.running()
    capture.stop_heart()
    capture.ring.clear_heartbeat()
    dark_ns = time.monotonic_ns()
    assert capture.receive(CaptureFailed).code == "lamp-dark"
    until(lambda: witness.open == 0, "every handle is closed")
    assert machine.taken_ns(dark_ns, witness.last_close_ns) < 500_000_000


def test_promise_1_a_supervisor_that_is_gone_closes_the_microphone(
    capture: CaptureProcess, witness: Witness, machine: Lateness
) -> None:
    capture.running()
    capture.control.close()
    gone_ns = time.monotonic_ns()
    until(lambda: witness.open == 0, "every handle is closed")
    assert machine.taken_ns(gone_ns, witness.last_close_ns) < 500_000_000
    assert capture.process.wait(60) is not None


def test_promise_1_a_main_thread_that_hangs_cannot_keep_the_microphone_open(
    microphone: SimulatedMicrophone, witness: Witness, tmp_path: Path, machine: Lateness
) -> None:
    # the watch itself is made to hang, as a C call with the interpreter's lock would
    paths = patched(
        tmp_path,
        "real = ring.Ring.lit\n"
        "def lit(self, *args):\n"
        "    if self.write_seq > 3:\n"
        "        ctypes.PyDLL(None).sleep(60)\n"
        "    return real(self, *args)\n"
        "ring.Ring.lit = lit\n",
    )
    capture = CaptureProcess(microphone, parent=["env", paths])
    capture.light()
    capture.start()
    capture.receive(MicrophoneOpening)
    until(lambda: capture.ring.write_seq > 3, "blocks arrive")
    hung_ns = time.monotonic_ns()
    assert capture.process.wait(60) == -signal.SIGALRM
    until(lambda: witness.open == 0, "every handle is closed")
    assert machine.taken_ns(hung_ns, witness.last_close_ns) < (1.0 + Times().close_s) * 1e9
    capture.finish()


def test_promise_1_capture_dies_with_the_process_that_started_it(
    microphone: SimulatedMicrophone, witness: Witness, machine: Lateness
) -> None:
    # a shell stands between: it is the supervisor that gets killed, while the control socket stays open here
    capture = CaptureProcess(microphone, parent=["sh", "-c", '"$@" & wait', "sh"])
    capture.running()
    capture.process.kill()
    killed_ns = time.monotonic_ns()
    until(lambda: witness.open == 0, "every handle is closed")
    assert machine.taken_ns(killed_ns, witness.last_close_ns) < 300_000_000
    capture.finish()


def test_a_terminal_s_interrupt_and_an_early_sigterm_are_left_to_the_supervisor(capture: CaptureProcess) -> None:
    capture.running()
    for number in (signal.SIGINT, signal.SIGTERM):
        capture.process.send_signal(number)
    seen = capture.ring.write_seq
    until(lambda: capture.ring.write_seq >= seen + 3, "blocks still arrive")
    capture.control.send(CloseMicrophone())
    capture.receive(MicrophoneClosed)


def test_a_device_that_is_not_there_is_named_with_those_that_are(capture: CaptureProcess) -> None:
    capture.light()
    capture.start(device="USB Conference")
    capture.receive(MicrophoneOpening)
    failed = capture.receive(CaptureFailed)
    assert failed.code == "no-such-device"
    assert "'USB Conference'" in failed.message
    assert f"'{DEVICE}'" in failed.message
    capture.receive(MicrophoneClosed)


def test_a_busy_device_is_reported_and_nothing_stays_open(
    capture: CaptureProcess, microphone: SimulatedMicrophone, witness: Witness
) -> None:
    microphone.busy()
    capture.light()
    capture.start()
    capture.receive(MicrophoneOpening)
    failed = capture.receive(CaptureFailed)
    assert failed.code in {"device-busy", "no-such-device"}
    assert "end" in failed.message
    assert capture.process.wait(60) == 1
    assert witness.open == 0


def test_an_unplugged_device_ends_the_process_or_shows_as_missing_blocks(
    capture: CaptureProcess, microphone: SimulatedMicrophone, witness: Witness
) -> None:
    capture.running()
    microphone.unplug()
    told: list[Message] = []

    def noticed() -> bool:
        if (message := capture.control.receive()) is not None:
            told.append(message)
        return bool(told) or time.monotonic_ns() - last_captured_ns(capture.ring) > 2_000_000_000

    until(noticed, "the process tells it, or no block comes any more")
    if told:
        assert isinstance(told[0], CaptureFailed)
        assert told[0].code == "device-lost"
    else:
        # PortAudio still calls the stream active: the supervisor sees that no block comes and kills
        capture.process.kill()
    capture.process.wait(60)
    until(lambda: witness.open == 0, "every handle is closed")


def test_an_exception_in_the_callback_becomes_a_report_and_no_silent_end(
    microphone: SimulatedMicrophone, witness: Witness, tmp_path: Path
) -> None:
    paths = patched(
        tmp_path,
        "real = ring.Producer.push\n"
        "def push(self, *args):\n"
        "    if self._ring.write_seq > 3:\n"
        "        raise ring.RingError('made up')\n"
        "    return real(self, *args)\n"
        "ring.Producer.push = push\n",
    )
    capture = CaptureProcess(microphone, parent=["env", paths])
    capture.light()
    capture.start()
    capture.receive(MicrophoneOpening)
    failed = capture.receive(CaptureFailed)
    assert failed.code == "callback-failed"
    assert "made up" in failed.message
    capture.receive(MicrophoneClosed)
    assert capture.process.wait(60) == 1
    until(lambda: witness.open == 0, "every handle is closed")
    capture.finish()


@pytest.mark.parametrize(
    ("first", "now", "arrived_ms"),
    [
        (99.9, 100.0, 0),  # the callback came with the block's last frame
        (99.83, 100.0, -70),  # PortAudio had kept it
        (99.95, 100.0, 0),  # a driver that knows better than the clock
        (0.0, 0.0, 0),  # a driver that gives no times
        (0.0, 100.0, 0),  # or only one of them
    ],
)
def test_a_block_s_time_is_that_of_its_last_frame(first: float, now: float, arrived_ms: int) -> None:
    times = {"input_buffer_adc_time": first, "current_time": now, "output_buffer_dac_time": 0.0}
    assert abs(arrived_ns(10**12, 0.1, times) - 10**12 - arrived_ms * 10**6) < 1000


@pytest.mark.parametrize(
    ("device", "inputs", "expected"),
    [
        ("mic", [(0, "mic"), (1, "my mic 2")], 0),
        ("USB", [(0, "default"), (4, "USB Audio (hw:1,0)")], 4),
        ("USB", [(0, "default")], "no-such-device"),
        ("USB", [], "no-such-device"),
        ("USB", [(0, "USB a"), (1, "USB b")], "ambiguous-device"),
    ],
)
def test_exactly_one_input_is_chosen(device: str, inputs: list[tuple[int, str]], expected: int | str) -> None:
    if isinstance(expected, int):
        assert choose(device, inputs) == expected
    else:
        with pytest.raises(StreamError) as caught:
            choose(device, inputs)
        assert caught.value.reason == expected


@pytest.mark.parametrize("stale_s", [0.4, 1.6])
def test_a_heartbeat_vouches_for_as_long_as_the_settings_say(
    microphone: SimulatedMicrophone, witness: Witness, stale_s: float, machine: Lateness
) -> None:
    capture = CaptureProcess(microphone, stale_s=stale_s)
    try:
        capture.running()
        capture.stop_heart()
        last_ns = capture.ring.heartbeat_ns
        until(lambda: witness.open == 0, "every handle is closed")
        assert stale_s - 0.1 <= (witness.last_close_ns - last_ns) / 1e9
        assert machine.taken_ns(last_ns, witness.last_close_ns) / 1e9 < stale_s + 1.0
    finally:
        capture.finish()


def test_a_close_that_hangs_is_cut_off_after_the_time_that_the_settings_give(
    microphone: SimulatedMicrophone, witness: Witness, machine: Lateness
) -> None:
    capture = CaptureProcess(microphone, close_s=1.2)
    try:
        capture.running()
        microphone.hang_on_close()
        asked_ns = time.monotonic_ns()
        capture.control.send(CloseMicrophone())
        assert capture.process.wait(60) == -signal.SIGALRM
        gone_ns = time.monotonic_ns()
        assert gone_ns - asked_ns > 1_000_000_000
        assert machine.taken_ns(asked_ns, gone_ns) < 2_500_000_000
    finally:
        capture.finish()


def test_what_opening_needs_is_imported_before_the_lamp_is_lit(monkeypatch: pytest.MonkeyPatch) -> None:
    name = conversion.__name__
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(capture_package, "conversion")
    import_modules(InputFormat())
    assert name not in sys.modules
    import_modules(InputFormat(bits=32))
    gc.unfreeze()
    assert name in sys.modules
