"""Fixtures of the archive's tests. Django is set up before any test module imports a model."""

from __future__ import annotations

import functools
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.archives import ENGINE, Archive, archive_in, template
from tests.support.lying_s3 import Liar, lying_s3

template()

# they import models, so Django comes first
from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: E402

from archive.core.deeds import in_deed  # noqa: E402
from archive.keystore.recording_keys import LocalRecordingKeys  # noqa: E402
from archive.store.local import LocalStore  # noqa: E402
from tests.archive.page_fixtures import arrive, custodian, sealed, technician  # noqa: E402, F401


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what depends on the engine on both."""
    both = metafunc.definition.get_closest_marker("both_engines") and "engine" in metafunc.fixturenames
    if ENGINE == "sqlite" and both:
        metafunc.parametrize("engine", ["sqlite", "postgresql"])


@pytest.fixture
def engine() -> str:
    """On which engine a test runs that is not marked `both_engines`."""
    return ENGINE


@pytest.fixture(scope="session", autouse=True)
def _nothing_outside_in_a_deed() -> Iterator[None]:
    """In a deed nothing waits for anything outside of the database: every test of the archive holds that."""
    places: list[tuple[Any, tuple[str, ...]]] = [
        (LocalStore, tuple(name for name in vars(LocalStore) if not name.startswith("_"))),
        (LocalRecordingKeys, tuple(name for name in vars(LocalRecordingKeys) if not name.startswith("_"))),
        (smtplib.SMTP, ("connect", "sendmail")),
        (requests.Session, ("request",)),
        # the quick one that these tests hash with
        (MD5PasswordHasher, ("encode",)),
    ]
    with watched_in_deeds(places):
        yield


@contextmanager
def watched_in_deeds(places: list[tuple[Any, tuple[str, ...]]]) -> Iterator[None]:
    """Let a test fail that calls one of these methods in a deed."""
    with pytest.MonkeyPatch.context() as patch:
        for place, names in places:
            for name in names:
                patch.setattr(place, name, _outside(getattr(place, name)))
        yield


def _outside(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def watched(*arguments: Any, **options: Any) -> Any:
        assert not in_deed(), f"{work.__qualname__} in a deed: everybody else waits for it"
        return work(*arguments, **options)

    return watched


@pytest.fixture
def archive(tmp_path: Path, engine: str) -> Iterator[Archive]:
    """An archive that knows one box."""
    with archive_in(tmp_path / "archive", engine) as made:
        yield made


@pytest.fixture
def client(archive: Archive) -> Any:
    """A client without a sign-in."""
    return archive.client()


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Liar]:
    """An S3 server that lies when it is told to; nobody waits between two tries."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    with lying_s3() as made:
        yield made
