"""What the units forbid is what the programs do not need, tried under the units' own system call filters.

systemd is not process 1 where the tests run, so the filters are loaded by sandbox.py. Two switches that the units leave
off are shown to be needed off; when one of these tests fails, the switch can be turned on.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from .units import COURIER, RECORDER, UNITS, service

ROOT = Path(__file__).resolve().parents[2]
ENCODE = """
import numpy
from appliance.contract import segment
samples = numpy.arange(48000).astype(numpy.int16)
assert (segment.decode(segment.encode(samples, 48000), 48000, 48000) == samples).all()
"""
ASK_CLOCK = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
raise SystemExit(0 if libc.adjtimex(ctypes.byref(ctypes.create_string_buffer(512))) >= 0 else 7)
"""
COPY = """
import pathlib, sys
from appliance.recorder.supervisor.own_code import own_code
with own_code(pathlib.Path(sys.argv[1])) as code:
    raise SystemExit(0 if code is not None and (code / "appliance" / "recorder").is_dir() else 7)
"""
SOCKET = """
import socket, sys
try:
    socket.socket(getattr(socket, sys.argv[1])).close()
except PermissionError:
    raise SystemExit(7)
"""
OPENS_RECORDINGS = [
    RECORDER,
    "plainsight-archive-boxes.service",
    "plainsight-archive-web.service",
    "plainsight-archive-worker.service",
]


def run(unit: str, code: str, *arguments: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.systemd.sandbox", unit, *options, "--", sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("unit", OPENS_RECORDINGS)
def test_segments_can_be_encoded_and_opened(unit: str) -> None:
    assert run(unit, ENCODE) == (0, "")


@pytest.mark.parametrize("unit", OPENS_RECORDINGS)
def test_memory_deny_write_execute_is_off_because_no_segment_could_be_encoded(unit: str) -> None:
    status, said = run(unit, ENCODE, options=("--deny-write-execute",))
    assert status == 1
    assert "MemoryError" in said
    assert "MemoryDenyWriteExecute" not in service(unit)


def test_memory_deny_write_execute_is_on_wherever_no_segment_is_opened() -> None:
    for unit in set(UNITS) - set(OPENS_RECORDINGS):
        assert service(unit)["MemoryDenyWriteExecute"] == ["yes"], unit


def test_promise_2_the_recorder_may_copy_the_code_that_its_children_run(tmp_path: Path) -> None:
    assert run(RECORDER, COPY, str(tmp_path)) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_recorder_may_ask_whether_the_clock_is_synchronized() -> None:
    assert run(RECORDER, ASK_CLOCK) == (0, "")
    assert "ProtectClock" not in service(RECORDER)


def test_protect_clock_is_off_because_it_would_refuse_that_question() -> None:
    # ProtectClock= takes @clock away, which is what leaving out that line does
    assert run(RECORDER, ASK_CLOCK, options=("--without", "adjtimex")) == (7, "")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_PACKET", "AF_NETLINK"])
def test_promise_4_the_recorder_gets_no_socket_of_a_network(family: str) -> None:
    assert run(RECORDER, SOCKET, family) == (7, "")


def test_sockets_that_are_needed_are_given() -> None:
    assert run(RECORDER, SOCKET, "AF_UNIX") == (0, "")
    assert run(COURIER, SOCKET, "AF_INET") == (0, "")
    assert run(COURIER, SOCKET, "AF_INET6") == (0, "")


@pytest.mark.parametrize(
    ("unit", "modules"),
    [
        (RECORDER, "lgpio"),
        (RECORDER, "gpiozero, pyaudio, pyrage, soundfile, systemd.daemon, systemd.journal"),
        (
            RECORDER,
            "appliance.recorder.supervisor.loop, appliance.recorder.capture.process, appliance.recorder.writer.process",
        ),
        (COURIER, "ssl, requests, paho.mqtt.client, appliance.courier.command, appliance.courier.courier"),
        ("plainsight-archive-web.service", "django, granian, sqlite3, pyrage, soundfile"),
        ("plainsight-archive-worker.service", "django, sqlite3, pyrage, soundfile"),
        ("plainsight-archive-listen.service", "django, sqlite3, paho.mqtt.client"),
    ],
)
def test_programs_load_under_their_filters(unit: str, modules: str, tmp_path: Path) -> None:
    if modules == "lgpio" and importlib.util.find_spec("lgpio") is None:
        pytest.skip("PyPI has no lgpio for this Python; Raspberry Pi OS packages it")
    # importing lgpio writes a FIFO where LG_WD says
    assert run(unit, f"import os; os.environ['LG_WD'] = {str(tmp_path)!r}\nimport {modules}") == (0, "")


def test_promise_4_the_courier_does_not_even_load_what_opens_sound() -> None:
    loaded = "{'soundfile', 'pyaudio'} & set(sys.modules)"
    code = f"import sys, appliance.courier.courier\nraise SystemExit(7 if {loaded} else 0)"
    assert run(COURIER, code) == (0, "")
