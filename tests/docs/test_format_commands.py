"""Promise 6: the commands in docs/format.md, run as printed with stock tools, open a package."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.contract.keys import public_pem
from tests.support.packages import Sealed, reforged
from tests.support.spools import Keys, make_recording

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "format.md"


class Case:
    """A package and the keys that a court's expert would have, in files named as in the document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = Keys()
        self.recording = make_recording(folder / "spool", self.keys, seconds=3)
        self.sealed = Sealed(self.recording)
        self.files = {
            "PACKAGE": self.sealed.build(),
            "KEY_AGE": self.recording.key,
            "BOX_KEY_PEM": public_pem(self.keys.box_signing.public),
            "ARCHIVE_IDENTITY": self.keys.archive.secret_line(),
        }

    def run(self, changed: Callable[[str], str] = str) -> subprocess.CompletedProcess[str]:
        for name, data in self.files.items():
            (self.folder / name).write_bytes(data)
        (script,) = re.findall(r"```sh\n(.*?)```", FORMAT.read_text(), re.DOTALL)
        places = {name: str(self.folder / name) for name in self.files}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", changed(script)],
            cwd=self.folder,
            env={**os.environ, "ID": self.recording.id, **places},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_promise_6_stock_tools_check_and_open_a_package(case: Case) -> None:
    result = case.run()
    assert result.returncode == 0, result.stderr
    assert "Signature Verified Successfully" in result.stdout
    heard = np.fromfile(case.folder / case.recording.id / "recording.raw", "<i2")
    assert np.array_equal(heard, case.recording.samples)


def test_the_key_ring_gives_the_key_that_the_commands_take(case: Case) -> None:
    found = re.search(r"^    (\{ printf .*?\n.*inform DER)$", FORMAT.read_text(), re.MULTILINE)
    assert found
    environment = {**os.environ, "KEY": case.keys.box_signing.public.removeprefix("ed25519:")}
    done = subprocess.run(["bash", "-c", found[1]], env=environment, capture_output=True, check=True, timeout=60)
    assert done.stdout == case.files["BOX_KEY_PEM"]


def test_an_evidence_package_is_opened_without_the_archives_identity(case: Case) -> None:
    """As section 6 says: its key.txt in the place of the line that opens the key with the archive's identity."""
    text = FORMAT.read_text()
    assert "write\n`cp KEY_TXT recording.txt`" in text
    case.files["KEY_TXT"] = case.keys.archive.decrypt(case.files.pop("KEY_AGE"))
    del case.files["ARCHIVE_IDENTITY"]
    result = case.run(lambda script: re.sub(r"age -d -i .*> recording.txt", 'cp "$KEY_TXT" recording.txt', script))
    assert result.returncode == 0, result.stderr
    heard = np.fromfile(case.folder / case.recording.id / "recording.raw", "<i2")
    assert np.array_equal(heard, case.recording.samples)


def _bit_in_a_segment(case: Case) -> None:
    data = bytearray(case.files["PACKAGE"])
    data[data.index(case.recording.segments[1]) + 1000] ^= 1
    case.files["PACKAGE"] = bytes(data)


def _bit_in_a_segment_and_new_manifests(case: Case) -> None:
    parts, name = case.sealed.payload(), "data/segments/00000001.age"
    parts[name] = parts[name][:1000] + bytes([parts[name][1000] ^ 1]) + parts[name][1001:]
    case.files["PACKAGE"] = reforged(case.sealed, parts)


def _another_box(case: Case) -> None:
    case.files["BOX_KEY_PEM"] = public_pem(Keys().box_signing.public)


def _another_ledger(case: Case) -> None:
    other = make_recording(case.folder / "spool", case.keys, seconds=3)
    case.files["PACKAGE"] = reforged(case.sealed, {**case.sealed.payload(), "data/ledger.tsv": other.ledger})


@pytest.mark.parametrize(
    "harm", [_bit_in_a_segment, _bit_in_a_segment_and_new_manifests, _another_box, _another_ledger]
)
def test_promise_6_stock_tools_also_notice_harm(case: Case, harm: Callable[[Case], None]) -> None:
    harm(case)
    assert case.run().returncode != 0
