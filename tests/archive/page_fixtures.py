"""Fixtures of the pages' tests: sealed recordings, and people who are signed in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from archive.custody.models import Entry
from archive.sealing.seal import seal
from tests.support.archives import Archive, send
from tests.support.spools import Recording, make_recording

PASSWORD = "only for tests 2468"
RATE = 8000


def make_user(name: str, *, custodian: bool = False, superuser: bool = False) -> Any:
    user = User.objects.create_user(name, password=PASSWORD, is_superuser=superuser)
    if custodian:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="recordings", codename="listen"))
    return user


def signed_in(archive: Archive, name: str, **rights: bool) -> Any:
    client = archive.client()
    client.force_login(make_user(name, **rights))
    return client


@pytest.fixture
def custodian(archive: Archive) -> Any:
    """A client signed in as m.jones, who may listen."""
    return signed_in(archive, "m.jones", custodian=True)


@pytest.fixture
def technician(archive: Archive) -> Any:
    """A client signed in as it.support, who may not listen."""
    return signed_in(archive, "it.support")


Arrive = Callable[..., Recording]


def send_one(archive: Archive, spool: Path, **options: Any) -> Recording:
    """Make a recording and send it as a courier would; options as for make_recording."""
    shape = {"rate": RATE, "segment_frames": RATE, **options}
    recording = make_recording(spool, archive.keys, **shape)
    send(archive.client(), recording)
    return recording


def seal_one(archive: Archive, spool: Path, **options: Any) -> Recording:
    """The same, and seal it as the worker would."""
    recording = send_one(archive, spool, **options)
    seal(recording.id)
    return recording


@pytest.fixture
def arrive(archive: Archive, tmp_path: Path) -> Arrive:
    """Makes recordings that are on their way in, or closed."""
    return functools.partial(send_one, archive, tmp_path / "spool")


@pytest.fixture
def sealed(archive: Archive, tmp_path: Path) -> Arrive:
    """Makes sealed recordings."""
    return functools.partial(seal_one, archive, tmp_path / "spool")


def entries(recording: str, kind: str | None = None) -> list[Any]:
    """The custody entries of a recording, oldest first."""
    found = Entry.objects.filter(recording=recording).order_by("n")
    return list(found.filter(kind=kind) if kind else found)
