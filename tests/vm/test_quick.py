"""One meeting of the whole box in a virtual machine, where a ready one is in the cache; else skipped, with words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).resolve().parents[2] / "deploy" / "vm-test"

pytestmark = [pytest.mark.system, pytest.mark.root]


def test_a_meeting_in_a_virtual_machine() -> None:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip(
            "QEMU is not installed: the whole box in a virtual machine is not tried; ./deploy/vm-test installs it"
        )
    done = subprocess.run(
        [COMMAND, "--quick", "--warm", "--json"], capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode == 77:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["held"] is True


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--rows", "9"], "there is no row 9"), (["--rows", "x"], "1,4"), (["--cuts", "0"], "1 to 1000")],
)
def test_wrong_arguments_get_status_2(arguments: list[str], named: str) -> None:
    needed = [f"--{name}=/none" for name in ("kernel", "initrd", "disk", "packages", "ready")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.vm", *needed, *arguments],
        capture_output=True, text=True, check=False, timeout=60, cwd=COMMAND.parents[1],
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert named in done.stderr
