"""Stores to try: a disk, a real S3 server, and one that lies when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.store.base import Store
from archive.store.local import LocalStore
from archive.store.s3 import S3Store
from archive.store.s3_bucket import Bucket
from tests.archive.conftest import watched_in_deeds
from tests.support.lying_s3 import Liar
from tests.support.s3_stores import connected, on_liar, on_real_server


@pytest.fixture(scope="session", autouse=True)
def _no_bucket_in_a_deed() -> Iterator[None]:
    """In a deed nothing waits for a bucket either."""
    asked = ("first", "put", "describe", "read_range", "delete", "versions_and_marks", "set_lock", "set_legal_hold")
    with watched_in_deeds([(Bucket, asked)]):
        yield


@pytest.fixture
def lied_to(liar: Liar, tmp_path: Path) -> S3Store:
    """A store in the liar's bucket."""
    return connected(tmp_path, on_liar(liar, tmp_path))


@pytest.fixture(params=["disk", "real server", "honest server of the tests"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store."""
    if request.param == "disk":
        return LocalStore(tmp_path / "store")
    if request.param == "real server":
        return connected(tmp_path, on_real_server())
    made: S3Store = request.getfixturevalue("lied_to")
    return made
