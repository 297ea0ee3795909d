"""A capture process without sound: speaks the control protocol, fills the ring with counted blocks.

The folder in PLAINSIGHT_FAKES holds files that change how it behaves: `stall`, `hang-on-close`, `refuse`; and
`sound.raw`, which is then heard, over and over and many times too fast, instead of silence. It writes
what it did to `capture.log` there, with CLOCK_MONOTONIC.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.recorder.ipc import messages
from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.ring import Producer, Ring

FOLDER = Path(os.environ["PLAINSIGHT_FAKES"])


def log(what: str) -> None:
    with (FOLDER / "capture.log").open("a") as file:
        file.write(f"{time.monotonic_ns()} {what}\n")


def sound(size: int) -> Iterator[bytes]:
    path = FOLDER / "sound.raw"
    raw = path.read_bytes() if path.exists() else bytes(size)
    return itertools.cycle([raw[at : at + size] for at in range(0, len(raw) - size + 1, size)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ring-fd", type=int)
    parser.add_argument("--control-fd", type=int)
    parser.add_argument("--stale-s", type=float, default=0.5)
    options, _ = parser.parse_known_args()
    stale_ns = round(options.stale_s * 1e9)
    ring, control = Ring.attach(options.ring_fd), MessageChannel.from_fd(options.control_fd)
    control.send(messages.CaptureReady())
    message = control.receive(None)
    if not isinstance(message, messages.OpenMicrophone):
        return
    now = time.monotonic_ns()
    control.send(messages.MicrophoneOpening(at_ns=now))
    log("open" if ring.lit(now, stale_ns) else "OPEN IN THE DARK")
    if (FOLDER / "refuse").exists():
        control.send(messages.CaptureFailed(code="busy", message="the device is busy"))
        time.sleep(60)
    producer = Producer(ring, message.generation)
    blocks = sound(2 * ring.block_frames)
    while True:
        asked = control.receive(0.001 if (FOLDER / "sound.raw").exists() else 0.085)
        if isinstance(asked, messages.CloseMicrophone):
            break
        if not (FOLDER / "stall").exists():
            producer.push(next(blocks), ring.block_frames, time.monotonic_ns())
        if not ring.lit(time.monotonic_ns(), stale_ns):
            log("dark")
            break
    while (FOLDER / "hang-on-close").exists():
        time.sleep(0.01)
    log("closed")
    control.send(messages.MicrophoneClosed(at_ns=time.monotonic_ns()))


try:
    main()
except EOFError:
    log("alone")
