"""A child process that was given what it cannot use ends with a status and a line of its own, never in a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from appliance.recorder.ipc.ring import Ring

CAPTURE = ("-m", "appliance.recorder.capture.process", "--stale-s", "1", "--close-s", "1")


@pytest.fixture
def ring() -> Iterator[int]:
    made = Ring.create(8000)
    yield made.descriptor
    made.close()
    os.close(made.descriptor)


def start(ring: int, control: socket.socket | int) -> subprocess.CompletedProcess[str]:
    descriptors = (ring, control if isinstance(control, int) else control.fileno())
    given = ("--ring-fd", str(descriptors[0]), "--control-fd", str(descriptors[1]))
    return subprocess.run(
        [sys.executable, *CAPTURE, *given],
        pass_fds=descriptors,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_descriptor_that_is_no_ring_ends_it_with_2() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, tempfile.TemporaryFile() as file:
        done = start(file.fileno(), theirs)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "ring" in done.stderr


def test_a_descriptor_that_is_no_socket_ends_it_with_2(ring: int) -> None:
    with tempfile.TemporaryFile() as file:
        done = start(ring, file.fileno())
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert done.stderr


def test_promise_1_an_orphan_opens_nothing_and_ends(ring: int) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with theirs:
        done = start(ring, theirs)
    assert (done.returncode, done.stderr) == (0, "")
