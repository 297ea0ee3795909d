"""Fixtures: a boot partition for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.boot_partition import make_boot_partition, prepare


@pytest.fixture(scope="session")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "bootfs"
    make_boot_partition(folder)
    return folder


@pytest.fixture
def fresh(written_once: Path, tmp_path: Path) -> Path:
    """A boot partition as it comes from Raspberry Pi Imager."""
    return Path(shutil.copytree(written_once, tmp_path / "bootfs"))


@pytest.fixture
def card(fresh: Path) -> Path:
    """A boot partition that was prepared for a box."""
    prepare(fresh)
    return fresh
