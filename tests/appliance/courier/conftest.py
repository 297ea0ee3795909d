"""Fixtures of the courier's tests: a box's folders, a fake archive, and an uploader between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.box.courier import Box, Courier
from tests.support.fake_archive import FakeArchive, running_archive
from tests.support.spools import Keys


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path, Keys())
    (box.spool / "recordings").mkdir()
    return box


@pytest.fixture
def archive() -> Iterator[FakeArchive]:
    with running_archive() as found:
        yield found


@pytest.fixture
def courier(box: Box, archive: FakeArchive) -> Courier:
    return Courier(box, archive)
