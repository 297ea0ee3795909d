"""Promise 6: the commands in docs/format.md, run as printed with stock tools, open a package."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np

from appliance.contract.keys import public_pem
from tests.support.packages import Sealed
from tests.support.spools import Keys, make_recording

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "format.md"


def test_promise_6_stock_tools_check_and_open_a_package(tmp_path: Path) -> None:
    keys = Keys()
    recording = make_recording(tmp_path / "spool", keys, seconds=3)
    files = {
        "PACKAGE": Sealed(recording).build(),
        "KEY_AGE": recording.key,
        "BOX_KEY_PEM": public_pem(keys.box_signing.public),
        "ARCHIVE_IDENTITY": keys.archive.secret_line(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (script,) = re.findall(r"```sh\n(.*?)```", FORMAT.read_text(), re.DOTALL)
    environment = {**os.environ, "ID": recording.id, **{name: str(tmp_path / name) for name in files}}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Signature Verified Successfully" in result.stdout
    heard = np.fromfile(tmp_path / recording.id / "recording.raw", "<i2")
    assert np.array_equal(heard, recording.samples)
