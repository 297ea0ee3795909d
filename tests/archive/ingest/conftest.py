"""A recording that has begun to arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import Archive
from tests.support.box_requests import send_start
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A recording of three seconds whose header and key have arrived."""
    recording = make_recording(tmp_path, archive.keys, seconds=3)
    send_start(client, recording)
    return recording
