"""A sealed recording of four seconds for each test of its redacted copies."""

from __future__ import annotations

import pytest

from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive

from .scene import Scene, make_scene


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    return make_scene(archive, sealed(seconds=4).id)
