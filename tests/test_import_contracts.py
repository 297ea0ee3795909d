"""The walls between the box's parts (pyproject.toml, tool.importlinter): each stands, and says so when it is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
WRONG = [
    ("layers", "supervisor/loop.py", "from appliance.recorder.writer import recovery"),
    ("layers", "capture/stream.py", "import appliance.recorder.supervisor.indicators"),
    ("layers", "writer/process.py", "from appliance.recorder.capture.stream import choose"),
    ("layers", "doctor/examination.py", "from appliance.recorder.supervisor.loop import Supervisor"),
    ("layers", "ipc/ring.py", "from appliance.recorder.writer.timeline import Timeline"),
    ("layers", "settings.py", "from appliance.recorder.panel import base"),
    ("layers", "storage/spool.py", "def late() -> None:\n    from appliance.recorder.commissioning import record"),
    ("layers", "ipc/ring.py", "from appliance.recorder.storage import disk"),
    ("disk", "supervisor/loop.py", "from appliance.recorder.storage import spool"),
    ("disk", "capture/stream.py", "import appliance.recorder.storage.disk"),
    ("commissioning", "commissioning/preflight.py", "from appliance.recorder.writer.recovery import recover"),
    ("commissioning", "commissioning/listening.py", "from appliance.recorder.capture import stream"),
    ("sound", "supervisor/loop.py", "import pyaudio"),
    ("sound", "doctor/command.py", "from appliance.recorder.capture import stream"),
    ("sockets", "writer/process.py", "import socket"),
    ("sockets", "supervisor/loop.py", "import asyncio"),
    ("network", "panel/base.py", "import urllib.request"),
    ("network", "device_checks.py", "import requests"),
    ("network", "../contract/times.py", "from appliance.courier import backoff"),
]


def lint(folder: Path) -> tuple[int, str]:
    """Check the sources in a folder; return the exit status and what was said, without its line breaks."""
    ended = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()",
         "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "1000"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for name in ("appliance", "archive"):
        shutil.copytree(ROOT / name, folder / name, ignore=lambda _, names: [n for n in names if n == "__pycache__"])
    return folder


def test_every_wall_stands() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


@pytest.mark.parametrize(("wall", "module", "wrong"), WRONG)
def test_a_wrong_import_is_refused_with_the_sentence_of_its_wall(
    copy: Path, wall: str, module: str, wrong: str
) -> None:
    path = copy / "appliance" / "recorder" / module
    before = path.read_text()
    path.write_text(f"{before}\n{wrong}\n")
    try:
        status, said = lint(copy)
    finally:
        path.write_text(before)
    sentence = next(contract["name"] for contract in CONTRACTS if contract["id"] == wall)
    assert status == 1, said
    assert f"{sentence} BROKEN" in said


def test_each_wall_is_tried() -> None:
    assert {wall for wall, _, _ in WRONG} == {contract["id"] for contract in CONTRACTS}


def modules_in(folder: Path) -> set[str]:
    """Modules and packages; a folder that git left behind with nothing but compiled files is none."""
    files = {one.stem for one in folder.glob("*.py")} - {"__init__"}
    return files | {one.parent.name for one in folder.glob("*/__init__.py")}


def test_only_capture_and_the_simulator_stand_outside_the_wall_of_sound() -> None:
    """Every other part is named in it: one that is new, or was forgotten, could open a microphone."""
    (sound,) = [contract for contract in CONTRACTS if contract["id"] == "sound"]
    expected = {f"appliance.{part}" for part in modules_in(ROOT / "appliance") - {"recorder", "simulator"}}
    expected |= {f"appliance.recorder.{layer}" for layer in modules_in(ROOT / "appliance" / "recorder") - {"capture"}}
    assert set(sound["source_modules"]) == expected | {"archive"}


def test_a_new_layer_must_be_given_its_place(copy: Path) -> None:
    layer = copy / "appliance" / "recorder" / "news"
    layer.mkdir()
    (layer / "__init__.py").write_text('"""A layer without a place."""\n')
    try:
        status, said = lint(copy)
    finally:
        shutil.rmtree(layer)
    assert status == 1, said
    assert "news" in said
