"""Handing bytes to places that may hang, with a bound that holds whatever they do.

A call on a share whose server is gone waits in the kernel, and a server that sends a byte every few seconds keeps any
timeout from ending; neither can be bounded in a thread, which nobody can end. So each delivery is a process that is
killed when its time is up or the worker stops. One that not even SIGKILL ends (some file systems) is left to the
kernel, holds nobody up, and nothing more is handed to its place as long as it is there.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal

from . import delivery_process
from .delivery_process import Delivered, Delivery

LONGEST_S: Final = 30.0
"""How long a delivery may take in all, in seconds."""
_KILLED_S: Final = 1.0
"""How long a killed process may take to go, in seconds."""
_left: Final[dict[str, subprocess.Popen[bytes]]] = {}
"""Processes that did not go, by their target."""


class DeliveryError(PlainSightError):
    """A place did not take what it was given."""


def deliver(how: str, target: str, body: bytes, stop: StopSignal, content_type: str = "") -> bytes:
    """Hand `body` to a place, return its answer; raise DeliveryError, at `stop` or after `LONGEST_S` at the latest."""
    before = _left.pop(target, None)
    if before is not None and before.poll() is None:
        _left[target] = before
        raise DeliveryError("the attempt before still hangs, and cannot be ended; look at its mount")
    asked = Delivery(how, target, base64.b64encode(body).decode("ascii"), content_type)
    process = subprocess.Popen(
        # by its path: it needs nothing of ours, and no search path of the environment
        [sys.executable, "-I", str(Path(delivery_process.__file__))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        said = _talk(process, json.dumps(asdict(asked)).encode(), stop)
    finally:
        _end(process, target)
    try:
        done = Delivered(**json.loads(said))
    except (ValueError, TypeError) as error:
        raise DeliveryError("it broke off") from error
    if done.error:
        raise DeliveryError(done.error)
    return base64.b64decode(done.answer)


def _talk(process: subprocess.Popen[bytes], asked: bytes, stop: StopSignal) -> bytes:
    assert process.stdin is not None  # noqa: S101 - told to the type checker
    assert process.stdout is not None  # noqa: S101 - the same
    until, said = time.monotonic() + LONGEST_S, b""
    # a few hundred bytes: less than a pipe holds
    process.stdin.write(asked)
    process.stdin.close()
    while True:
        left = until - time.monotonic()
        ready, _, _ = select.select([process.stdout, stop], [], [], max(left, 0.0))
        if process.stdout in ready:
            part = os.read(process.stdout.fileno(), 1 << 16)
            if not part:
                return said
            said += part
        elif stop.is_set():
            raise DeliveryError("the worker stops")
        elif left <= 0:
            raise DeliveryError(f"it took longer than {LONGEST_S:.0f} s")


def _end(process: subprocess.Popen[bytes], target: str) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_KILLED_S)
    except subprocess.TimeoutExpired:
        _left[target] = process
