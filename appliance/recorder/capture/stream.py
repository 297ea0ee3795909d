"""One PortAudio input stream, from initialization to termination; the only module that opens a microphone.

The callback runs in PortAudio's own thread. It copies its block into the ring and does nothing else: no logging, no
lock that is held during I/O, no disk. `open`, `alive` and `close` are called by capture's microphone thread alone.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyaudio

from appliance.contract.errors import DeviceError
from appliance.recorder.ipc.ring import Producer, Ring, RingError

from .input_format import DEVICE_FAILED, InputFormat

if TYPE_CHECKING:
    from .conversion import Converter

_log = logging.getLogger(__name__)
_UNAVAILABLE: Final = ("-9985", "Device unavailable")
_UNSUPPORTED: Final = ("-9994", "-9997", "-9998", "Sample format not supported", "Invalid sample rate",
                       "Invalid number of channels")  # fmt: skip
_RATES: Final = (8000, 16000, 32000, 44100, 48000, 96000, 192000)
"""Rates that sound cards have, in frames a second."""
_LONGEST_WAIT_S: Final = 2.0
_Answer = tuple[None, int]


class StreamError(DeviceError):
    """The microphone could not be opened or was lost; `reason` is the code that capture reports."""

    code: ClassVar[str] = "device"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Stream:
    """A running input stream that fills the ring."""

    def __init__(self, ring: Ring, producer: Producer, input_format: InputFormat) -> None:
        self._ring = ring
        self._input = input_format
        self._producer = producer
        self._portaudio: pyaudio.PyAudio | None = None
        self._stream: Any = None
        self._broken: str | None = None
        self._converter: Converter | None = None

    def open(self, device: str) -> None:
        """Find the one input device whose name contains `device`, and start it."""
        with _stderr_to_log():
            try:
                self._portaudio = pyaudio.PyAudio()
            except OSError as error:
                raise StreamError(
                    "portaudio", f"PortAudio does not start: {error}; check ALSA's configuration"
                ) from error
        index = choose(device, _inputs(self._portaudio))
        if not self._input.plain:
            from .conversion import Converter  # noqa: PLC0415 - numpy, imported by `import_modules` where it is needed

            self._converter = Converter(self._input, self._ring.rate)
        try:
            self._stream = self._portaudio.open(
                rate=self._ring.rate,
                channels=self._input.channels,
                format=pyaudio.paInt32 if self._input.bits == 32 else pyaudio.paInt16,
                input=True,
                input_device_index=index,
                frames_per_buffer=self._ring.block_frames,
                stream_callback=self._callback,
                start=False,
            )
            self._stream.start_stream()
        except (OSError, ValueError) as error:
            raise self._opening_error(self._portaudio, device, index, error) from error

    def alive(self) -> bool:
        """Return whether PortAudio says that the stream runs (it may be wrong; the supervisor watches the blocks)."""
        return bool(self._stream.is_active())

    def why_broken(self) -> str | None:
        """Return what went wrong in the callback, or None."""
        return self._broken

    def close(self) -> None:
        """Stop and close the device and terminate PortAudio; safe to call after a failed `open`."""
        stream, portaudio, self._stream, self._portaudio = self._stream, self._portaudio, None, None
        try:
            if stream is not None:
                stream.stop_stream()
                stream.close()
        except OSError as error:
            # a device that is gone cannot be stopped; terminating PortAudio releases it
            _log.warning("the device did not close cleanly: %s", error)
        finally:
            if portaudio is not None:
                portaudio.terminate()

    def _callback(self, data: bytes | None, frames: int, times: Mapping[str, float], flags: int) -> _Answer:
        now_ns = time.monotonic_ns()
        try:
            captured_ns = arrived_ns(now_ns, frames / self._ring.rate, times)
            self._producer.push(self._kept(data or b""), frames, captured_ns, flags)
        except (RingError, ValueError, TypeError, KeyError, IndexError, MemoryError) as error:
            # PyAudio would raise an exception from here in another thread; keep it for the report
            self._broken = repr(error)
            return (None, pyaudio.paAbort)
        return (None, pyaudio.paContinue)

    def _kept(self, data: bytes) -> bytes:
        return data if self._converter is None else self._converter.convert(data)

    def _opening_error(
        self, portaudio: pyaudio.PyAudio, device: str, index: int, error: OSError | ValueError
    ) -> StreamError:
        words = [str(word) for word in error.args]
        if any(word in words for word in _UNAVAILABLE):
            return StreamError(
                "device-busy", f"the microphone {device!r} is in use or just went away: {error}; end what uses it"
            )
        if any(word in words for word in _UNSUPPORTED):
            return StreamError("not-supported", self._what_it_can_do(portaudio, device, index))
        return StreamError(DEVICE_FAILED, f"the microphone {device!r} cannot be opened: {error}; plug it in again")

    def _what_it_can_do(self, portaudio: pyaudio.PyAudio, device: str, index: int) -> str:
        """Return at which rates, channels and bits the card opens; trying them opens it, so the lamp is lit."""
        can = []
        for channels in (1, 2):
            for bits, form in ((16, pyaudio.paInt16), (32, pyaudio.paInt32)):
                rates = [rate for rate in _RATES if _opens(portaudio, index, rate, channels, form)]
                if rates:
                    can.append(f"channels = {channels}, bits = {bits}, rate = {' or '.join(map(str, rates))}")
        wanted = f"channels = {self._input.channels}, bits = {self._input.bits}, rate = {self._ring.rate}"
        if not can:
            return f"the microphone {device!r} opens at no rate that is known here; plug it in again, or try another"
        return (
            f"the microphone {device!r} does not open with {wanted}. It opens with {'; or with '.join(can)}: "
            "set one of these in [microphone], or let ALSA convert (firmware_config/asound.conf)"
        )


def arrived_ns(now_ns: int, seconds: float, times: Mapping[str, float]) -> int:
    """Return when the last frame of a block of `seconds` had arrived (CLOCK_MONOTONIC ns), seen from its callback.

    At each wake-up PortAudio reads what the device has, some frames more than a block, and keeps the rest until it
    fills a block: measured, the callback comes later by 0.2 to 0.6 ms each time, and then, after half a minute, a
    block early. PortAudio reads both times from one clock at one moment, so that their difference
    tells how old the first frame is, even if that clock is stepped. Where a driver reports no such times, the time of
    the callback is used.
    """
    waited = times["current_time"] - times["input_buffer_adc_time"] - seconds
    return now_ns - round(waited * 1e9) if 0 < waited < _LONGEST_WAIT_S else now_ns


def choose(device: str, inputs: list[tuple[int, str]]) -> int:
    """Return the index of the one input whose name contains `device`; a name that equals it goes first."""
    exact = [index for index, name in inputs if name == device]
    found = exact or [index for index, name in inputs if device in name]
    names = ", ".join(repr(name) for _, name in inputs) or "none at all"
    if not found:
        raise StreamError(
            "no-such-device",
            f"no input device is named {device!r}; PortAudio lists: {names}. "
            "Plug it in, end the program that uses it, or correct microphone.device",
        )
    if len(found) > 1:
        raise StreamError(
            "ambiguous-device",
            f"{len(found)} input devices are named {device!r}; PortAudio lists: {names}. Give more of the name",
        )
    return found[0]


def _inputs(portaudio: pyaudio.PyAudio) -> list[tuple[int, str]]:
    devices = [portaudio.get_device_info_by_index(index) for index in range(portaudio.get_device_count())]
    return [(int(info["index"]), str(info["name"])) for info in devices if int(info["maxInputChannels"]) > 0]


def _opens(portaudio: pyaudio.PyAudio, index: int, rate: int, channels: int, form: int) -> bool:
    try:
        return bool(portaudio.is_format_supported(rate, input_device=index, input_channels=channels, input_format=form))
    except ValueError:
        return False


@contextmanager
def _stderr_to_log() -> Iterator[None]:
    """Log what ALSA and JACK print while PortAudio tries every device as one debug message."""
    noise = os.memfd_create("noise")
    kept = os.dup(2)
    os.dup2(noise, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        text = os.pread(noise, 1 << 16, 0).decode("utf-8", "replace").strip()
        os.close(noise)
        if text:
            _log.debug("while looking for devices: %s", text)
