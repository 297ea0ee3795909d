"""A running simulator, in a process of its own as always."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@dataclass
class Simulator:
    """What a test may do with it."""

    folder: Path
    spoken: Path
    page: str
    process: subprocess.Popen[str]

    def control(self, **request: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.folder / "control.sock"))
            line.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(line.makefile().readline())
            return answer

    def log(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / f"{name}.log").read_text().splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}


def wait_for(condition: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return value


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of noise: no two stretches of it are alike."""
    path = tmp_path_factory.mktemp("spoken") / "spoken.raw"
    np.random.default_rng(1).integers(-3000, 3000, 480000).astype("<i2").tofile(path)
    return path


def run(folder: Path, spoken: Path, *more: str) -> Simulator:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "appliance.command", "simulator", "--json"),
            *("--dir", str(folder), "--spoken", str(spoken), "--root", str(folder), *more),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Simulator(folder, spoken, json.loads(process.stdout.readline())["page"], process)


@pytest.fixture
def simulator(tmp_path: Path, spoken: Path) -> Iterator[Simulator]:
    folder = tmp_path / "panel"
    folder.mkdir()
    running = run(folder, spoken)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
