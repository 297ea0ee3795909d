"""Fixtures of the archive's tests. Django is set up before any test module imports a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import ENGINE, Archive, archive_in, template

template()

# they import models, so Django comes first
from tests.archive.page_fixtures import arrive, custodian, sealed, technician  # noqa: E402, F401


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what depends on the engine on both."""
    if ENGINE == "sqlite" and metafunc.definition.get_closest_marker("both_engines"):
        metafunc.parametrize("engine", ["sqlite", "postgresql"])


@pytest.fixture
def engine() -> str:
    """On which engine a test runs that is not marked `both_engines`."""
    return ENGINE


@pytest.fixture
def archive(tmp_path: Path, engine: str) -> Iterator[Archive]:
    """An archive that knows one box."""
    with archive_in(tmp_path / "archive", engine) as made:
        yield made


@pytest.fixture
def client(archive: Archive) -> Any:
    """A client without a sign-in."""
    return archive.client()
