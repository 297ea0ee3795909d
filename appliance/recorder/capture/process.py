"""The capture process: opens one microphone once, fills the ring, and closes it when the heartbeat stops.

Threads: the main thread watches heartbeat and control socket, and never touches PortAudio; the thread `microphone`
makes every PortAudio call, each of which may block for seconds; PortAudio's own thread runs the callback (stream.py).
The main thread joins `microphone` before it reports `closed`.

A deadman's timer backs this up: the kernel ends this process, which closes the device, unless the main thread has
seen a fresh heartbeat and armed the timer again. So a call that hangs, in any thread and with any lock, cannot keep the
microphone open.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Final

from appliance.recorder.ipc import child_setup
from appliance.recorder.ipc.message_channel import ChannelStalledError, MessageChannel
from appliance.recorder.ipc.messages import (
    CaptureFailed,
    CaptureReady,
    CloseMicrophone,
    FromCapture,
    MessageError,
    MicrophoneClosed,
    MicrophoneOpening,
    OpenMicrophone,
)
from appliance.recorder.ipc.ring import Producer, Ring, RingError
from appliance.recorder.ipc.wakeup_queue import WakeupQueue

from .input_format import CHANNELS, DEVICE_FAILED, InputFormat

# a child is started with `python -m`, where __name__ is __main__
_log = logging.getLogger("appliance.recorder.capture.process")
_CHECK_S: Final = 0.15
"""The longest time between two checks of the heartbeat, in seconds; a heartbeat that turns stale is noticed at once.
Each check arms the deadman's timer again, so a busy machine may delay this process by that much less."""
_ALIVE_S: Final = 0.5
_MARGIN_S: Final = 0.05
_PRIORITY: Final = 10


@dataclass(frozen=True)
class _Failed:
    code: str
    message: str


@dataclass(frozen=True)
class _Done:
    at_ns: int


@dataclass(frozen=True)
class Options:
    """The process's command line (settings.py: `capture_arguments`)."""

    stale_ns: int
    """A heartbeat older than this, in nanoseconds, no longer shows that the lamp is lit."""
    close_s: float
    """Closing may take this long, in seconds; then the process ends, which closes the device as well."""
    input: InputFormat
    """What is opened, and what of it is kept."""


_Event = _Failed | _Done


class Session:
    """One microphone, from before PortAudio is initialized to after it is terminated."""

    def __init__(self, ring: Ring, device: str, generation: int, input_format: InputFormat) -> None:
        self._ring = ring
        self._input = input_format
        self._producer = Producer(ring, generation)
        self._stop = threading.Event()
        self.events: WakeupQueue[_Event] = WakeupQueue()
        self._thread = threading.Thread(target=self._run, args=(device,), name="microphone", daemon=True)

    def go(self) -> None:
        """Start the thread, after the supervisor was told."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to close."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the thread; the deadman's timer limits how long."""
        self._thread.join()

    def _run(self, device: str) -> None:
        from .stream import Stream, StreamError  # noqa: PLC0415 - imported by `import_modules`; here only looked up

        stream = Stream(self._ring, self._producer, self._input)
        try:
            stream.open(device)
            while not self._stop.wait(_ALIVE_S):
                if not stream.alive():
                    why = stream.why_broken()
                    code = "callback-failed" if why else "device-lost"
                    self.events.put(_Failed(code, why or f"the microphone {device!r} stopped; plug it in again"))
                    break
        except StreamError as error:
            self.events.put(_Failed(error.reason, error.message))
        finally:
            stream.close()
            self.events.put(_Done(time.monotonic_ns()))


def _arm(seconds: float) -> None:
    """Let the kernel end this process in `seconds`, unless it is armed again (the default action of SIGALRM)."""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))


def watch(ring: Ring, control: MessageChannel, device: str, generation: int, options: Options) -> int:
    """Keep one microphone open until it must be closed; return the exit status."""
    stale_ns, close_s = options.stale_ns, options.close_s
    if not ring.lit(time.monotonic_ns(), stale_ns):
        _report(control, CaptureFailed(code="lamp-dark", message="the lamp is not lit; nothing was opened"))
        return 1
    session = Session(ring, device, generation, options.input)
    _report(control, MicrophoneOpening(at_ns=time.monotonic_ns()))
    failure: _Failed | None = None
    done: _Done | None = None
    stopping = False
    _arm(stale_ns / 1e9 + close_s)
    session.go()
    while done is None:
        _wait([session.events, *([] if stopping else [control])], close_s if stopping else _wait_s(ring, stale_ns))
        for event in session.events.drain():
            if isinstance(event, _Failed):
                failure = event
            else:
                done = event
        if stopping:
            continue
        asked = _asked_to_close(control)
        now_ns = time.monotonic_ns()
        dark = not ring.lit(now_ns, stale_ns)
        if dark and not asked:
            failure = failure or _Failed("lamp-dark", "the heartbeat of the lit lamp stopped; the microphone is closed")
        if asked or failure:
            stopping = True
            session.stop()
            _arm(close_s)
        else:
            _arm((stale_ns - (now_ns - ring.heartbeat_ns)) / 1e9 + close_s + _MARGIN_S)
    session.join()
    signal.setitimer(signal.ITIMER_REAL, 0)
    if failure:
        _report(control, CaptureFailed(code=failure.code, message=failure.message))
    # PortAudio may keep a device whose start failed: then only this process's end proves that it is closed
    if failure is None or failure.code != DEVICE_FAILED:
        _report(control, MicrophoneClosed(at_ns=done.at_ns))
    return 1 if failure else 0


def _wait_s(ring: Ring, stale_ns: int) -> float:
    """Return the time until the next check of the heartbeat, in seconds: at the latest when it would be stale."""
    fresh_ns = ring.heartbeat_ns + stale_ns - time.monotonic_ns()
    return min(max(fresh_ns / 1e9, 0.0) + 0.001, _CHECK_S)


def _wait(sources: list[MessageChannel | WakeupQueue[_Event]], seconds: float) -> None:
    poll = select.poll()
    for source in sources:
        poll.register(source, select.POLLIN)
    poll.poll(seconds * 1000)


def _asked_to_close(control: MessageChannel) -> bool:
    try:
        message = control.receive()
    except EOFError:
        return True
    except MessageError as error:
        _log.error("%s", error.message)
        return False
    return isinstance(message, CloseMicrophone)


def _report(control: MessageChannel, message: FromCapture) -> None:
    try:
        control.send(message)
    except EOFError:
        _log.info("the supervisor is gone; %s is not reported", message.kind)
    except ChannelStalledError as error:
        _log.warning("%s: %s", message.kind, error.message)


def raise_priority() -> None:
    """Run before other processes, where the unit allows it: the device's buffer holds only two blocks.

    Every thread needs it, since a callback waits for the interpreter's lock; PortAudio's thread inherits it.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except PermissionError:
        _log.debug("no real-time priority; the unit would need LimitRTPRIO=%d", _PRIORITY)


def import_modules(input_format: InputFormat) -> None:
    """Import the modules that opening needs, without using PortAudio."""
    # PortAudio must not start a JACK server
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    # imported late, so that a broken installation is reported over the control socket
    from . import stream  # noqa: F401, PLC0415

    if not input_format.plain:
        from . import conversion  # noqa: F401, PLC0415

    gc.collect()
    gc.freeze()


def serve(ring: Ring, control: MessageChannel, options: Options) -> int:
    """Wait for the message to open, keep the microphone open, return the exit status."""
    import_modules(options.input)
    _report(control, CaptureReady())
    while True:
        try:
            message = control.receive(None)
        except EOFError:
            return 0
        except MessageError as error:
            _log.error("%s", error.message)
            continue
        match message:
            case None:
                continue
            case OpenMicrophone(device=device, generation=generation):
                return watch(ring, control, device, generation, options)
            case CloseMicrophone():
                return 0
            case _:
                _log.error("%s is not for the capture process", message.kind)


def main(arguments: list[str] | None = None) -> int:
    """Run the process."""
    parser = child_setup.parser("appliance.recorder.capture.process", "Listens to one microphone.")
    parser.add_argument("--stale-s", type=float, required=True, help="times.heartbeat_stale_s of the settings")
    parser.add_argument("--close-s", type=float, required=True, help="times.close_s")
    parser.add_argument("--channels", type=int, choices=(1, 2), default=1, help="microphone.channels")
    parser.add_argument("--channel", choices=CHANNELS, default="left", help="microphone.channel")
    parser.add_argument("--bits", type=int, choices=(16, 32), default=16, help="microphone.bits")
    parser.add_argument("--gain-db", type=float, default=0.0, help="microphone.gain_db")
    chosen = parser.parse_args(arguments)
    input_format = InputFormat(chosen.channels, chosen.channel, chosen.bits, chosen.gain_db)
    options = Options(round(chosen.stale_s * 1e9), chosen.close_s, input_format)
    child_setup.leave_signals_to_the_supervisor()
    child_setup.die_with_parent()
    child_setup.protect_memory("ps-capture")
    child_setup.log_to_stderr()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    raise_priority()
    try:
        control = MessageChannel.from_fd(chosen.control_fd)
        ring = Ring.attach(chosen.ring_fd)
    except (OSError, RingError) as error:
        _log.error("%s", error)
        return 2
    if child_setup.is_orphan(control):
        return 0
    try:
        return serve(ring, control, options)
    except ImportError as error:
        _report(control, CaptureFailed(code="not-installed", message=f"{error}; install plainsight[box]"))
        return 2


if __name__ == "__main__":
    sys.exit(main())
