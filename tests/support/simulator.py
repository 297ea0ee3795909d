"""A running simulator, in a process of its own as always."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Simulator:
    """What a test may do with it."""

    folder: Path
    spoken: Path
    page: str
    process: subprocess.Popen[str]

    def control(self, **request: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(60)
            line.connect(str(self.folder / "control.sock"))
            line.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(line.makefile().readline())
            return answer

    def log(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / f"{name}.log").read_text().splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}


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
