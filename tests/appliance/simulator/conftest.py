"""Fixtures of the simulator's tests: what it says into its microphone, and a running one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.simulator import Simulator, run


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of noise: no two stretches of it are alike."""
    path = tmp_path_factory.mktemp("spoken") / "spoken.raw"
    np.random.default_rng(1).integers(-3000, 3000, 480000).astype("<i2").tofile(path)
    return path


@pytest.fixture
def simulator(tmp_path: Path, spoken: Path) -> Iterator[Simulator]:
    folder = tmp_path / "panel"
    folder.mkdir()
    running = run(folder, spoken)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 0
