"""Stores to try: a disk, a real S3 server, and one that lies when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.configuration import S3
from archive.store.base import Store
from archive.store.local import LocalStore
from archive.store.s3 import Retention, S3Store
from archive.store.s3_bucket import Bucket, read_access
from tests.support.lying_s3 import Liar, lying_s3
from tests.support.s3_server import credentials, s3_server


def connected(folder: Path, settings: S3) -> S3Store:
    """A store in the bucket of some settings."""
    return S3Store(
        LocalStore(folder / "store"),
        Bucket.connect(settings, read_access(settings, "credentials_file")),
        Retention("GOVERNANCE" if settings.mode == "governance" else "COMPLIANCE", settings.retention_days),
        Bucket.connect(settings, read_access(settings, "destruction_credentials_file"))
        if settings.destroys_early
        else None,
    )


def on_real_server(**others: Any) -> S3:
    """Settings of a new bucket of the real server."""
    server = s3_server()
    return S3(**server.settings(server.create(), **others))


def on_liar(liar: Liar, folder: Path, **others: Any) -> S3:
    """Settings of the liar's bucket."""
    members: dict[str, Any] = {
        "endpoint": liar.endpoint,
        "bucket": "archive",
        "credentials_file": credentials(folder, "archive"),
        "destruction_credentials_file": credentials(folder, "destruction"),
        "retention_days": 2,
        "answer_s": 60,
    }
    return S3(**(members | others))


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Liar]:
    """A server that lies when it is told to; nobody waits between two tries."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    with lying_s3() as made:
        yield made


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
