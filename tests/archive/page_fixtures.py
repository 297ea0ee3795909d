"""Fixtures of the pages' tests: sealed recordings, and people who are signed in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import ROLES, Deed
from archive.access.models import Grant
from archive.accounts.models import User
from archive.configuration.brokers import MAIN
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.devices.models import Listening
from archive.recordings.verification import check_asked
from archive.sealing.seal import seal
from tests.archive.pages import Node, check
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Recording, make_recording

PASSWORD = "only for tests 2468"
RATE = 8000


def make_user(name: str, *deeds: Deed, role: str | None = None) -> User:
    """An account that may do what `role` may, and `deeds`; made without custody entries, to be told from a deed's."""
    user = User.objects.create_user(name, PASSWORD)
    granted = ROLES[role] if role else frozenset[Deed]()
    before = timezone.now()
    Grant.objects.bulk_create(Grant(user=user, deed=deed, valid_from=before) for deed in granted | set(deeds))
    return user


def signed_in(archive: Archive, name: str, *deeds: Deed, role: str | None = None) -> Any:
    client = archive.client()
    client.force_login(make_user(name, *deeds, role=role))
    return client


def sign_in_over_http(browser: requests.Session, url: str, user: User) -> None:
    """Sign `browser` in at a web server, and have it send what every form of its carries."""
    # the server's own process knows nothing of the faster hasher of tests
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6)
    user.save()
    form = f"{url}/sign-in/"
    browser.headers["Referer"] = form
    browser.get(form, timeout=60)

    def token() -> str:
        return next(cookie.value or "" for cookie in browser.cookies if cookie.name.endswith("csrf"))

    typed = {"csrfmiddlewaretoken": token(), "username": user.username, "password": PASSWORD}
    answer = browser.post(form, data=typed, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text[-2000:]
    browser.headers["X-CSRFToken"] = token()


def listener_runs() -> None:
    """Let the listener say that it runs, for longer than any test takes: it must not seem dead on a slow machine."""
    alive_at = timezone.now() + timedelta(minutes=9)
    Listening.objects.update_or_create(pk=MAIN, defaults={"alive_at": alive_at, "connected": True})


@pytest.fixture
def custodian(archive: Archive) -> Any:
    """A client signed in as m.jones, who may listen."""
    return signed_in(archive, "m.jones", role="custodian")


@pytest.fixture
def technician(archive: Archive) -> Any:
    """A client signed in as it.support, who may not listen."""
    return signed_in(archive, "it.support", role="technician")


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


def verified(client: Any, recording: str) -> Node:
    """Press the button, let the worker check, and return the page with the result."""
    address = f"/recordings/{recording}/verification/"
    answer = client.post(f"/recordings/{recording}/verify/")
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    check_asked(StopSignal())
    answer = client.get(address)
    assert answer.status_code == 200
    return check(answer.content.decode())


def entries(recording: str, code: str | None = None) -> list[Entry]:
    """The custody entries of a recording, oldest first."""
    found = Entry.objects.about(Subject.recording(recording)).order_by("n")
    return list(found.filter(code=code) if code else found)


def who(entry: Entry) -> str:
    """Who an entry is of, with the name that the accounts know."""
    if entry.actor_type == "user":
        return f"user:{User.objects.get(pk=entry.actor_id).username}"
    return f"{entry.actor_type}:{entry.actor_id}".rstrip(":")
