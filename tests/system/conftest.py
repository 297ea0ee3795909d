"""A whole district, started once for all tests of this folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.district import RunningDistrict


@pytest.fixture(scope="package")
def open_folder() -> Iterator[Path]:
    """A folder that the parts' own users can pass through; pytest closes its own folders to everyone but its user."""
    folder = Path(tempfile.mkdtemp(prefix="plainsight-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def running(open_folder: Path) -> Iterator[RunningDistrict]:
    found = RunningDistrict(open_folder / "district")
    try:
        found.run(found.district.start())
        yield found
    finally:
        found.close()
    assert not [line for line in found.said if "Traceback" in line]
