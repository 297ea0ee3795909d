"""/healthz tells which part works, /readyz whether requests can be served, /livez that a process answers; no more."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from archive.configuration.brokers import MAIN
from archive.core import health
from archive.core.jobs import WORKER, Worker
from archive.core.models import SignOfLife
from archive.devices import listener
from archive.devices.models import Listening
from archive.keystore.current import keystore
from tests.archive.page_fixtures import listener_runs
from tests.support.archives import Archive


@pytest.fixture(autouse=True)
def look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "REMEMBERED_S", -1.0)


def run_everything() -> None:
    Worker([]).once()
    SignOfLife.objects.update(at=timezone.now() + timedelta(minutes=9))
    listener_runs()


def test_everything_works(archive: Archive, client: Any) -> None:
    run_everything()
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert set(answer.json()["parts"].values()) == {"works"}
    assert set(answer.json()["parts"]) == {"database", "clock", "store", "keys", "listener", "worker"}


@pytest.mark.parametrize("part", ["listener", "worker"])
def test_a_sign_of_life_of_a_time_to_come_is_none(archive: Archive, client: Any, part: str) -> None:
    """It was given before the clock was put back, by a process that may have died since."""
    run_everything()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    if part == "listener":
        Listening.objects.update(alive_at=ahead)
    else:
        SignOfLife.objects.update(at=ahead)
    answer = client.get("/healthz")
    assert [name for name, word in answer.json()["parts"].items() if word == "fails"] == [part]


@pytest.mark.parametrize("part", ["store", "keys", "listener", "worker"])
def test_what_does_not_work_is_named(archive: Archive, client: Any, part: str) -> None:
    run_everything()
    if part == "store":
        shutil.rmtree(archive.home / "store", ignore_errors=True)
        (archive.home / "store").write_text("no folder")
    elif part == "keys":
        keystore.cache_clear()
        (archive.home / "keys" / "signing.pem").unlink()
    elif part == "listener":
        Listening.objects.update(alive_at=datetime.now(UTC) - timedelta(minutes=1))
    else:
        SignOfLife.objects.update(at=datetime.now(UTC) - timedelta(minutes=1))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert [name for name, word in answer.json()["parts"].items() if word == "fails"] == [part]
    assert str(archive.home) not in answer.content.decode()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_host_whose_clock_is_wrong_takes_nobody_for_dead_or_alive(
    archive: Archive, client: Any, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    run_everything()
    wrong = timezone.now() + timedelta(hours=hours)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    assert client.get("/healthz").json()["parts"]["worker"] == "works"
    health.alive(WORKER)
    Listening.objects.all().delete()
    listener.OwnSign().say({MAIN: True})
    assert [health.is_alive(WORKER), listener.hears()] == [True, True]
    SignOfLife.objects.update(at=Now() - timedelta(minutes=1))
    Listening.objects.update(alive_at=Now() - timedelta(minutes=1))
    assert [health.is_alive(WORKER), listener.hears()] == [False, False]


def test_asking_often_looks_once(archive: Archive, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_everything()
    monkeypatch.setattr(health, "REMEMBERED_S", 60.0)
    monkeypatch.setattr(health, "_last", (float("-inf"), {}))
    looks: list[str] = []

    def count() -> bool:
        looks.append("once")
        return True

    monkeypatch.setitem(health._probes, "counted", count)
    for _ in range(5):
        assert client.get("/healthz").status_code == 200
    assert len(looks) == 1


@pytest.mark.parametrize(("part", "ready"), [("store", 503), ("worker", 200), ("listener", 200)])
def test_requests_are_sent_where_they_can_be_served(archive: Archive, client: Any, part: str, ready: int) -> None:
    run_everything()
    assert set(client.get("/readyz").json()["parts"]) == {"database", "clock", "store", "keys"}
    if part == "store":
        shutil.rmtree(archive.home / "store", ignore_errors=True)
        (archive.home / "store").write_text("no folder")
    else:
        SignOfLife.objects.all().delete()
        Listening.objects.all().delete()
    assert client.get("/healthz").status_code == 503
    assert client.get("/readyz").status_code == ready


def test_a_process_answers_whatever_is_away(archive: Archive, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr(health, "_database", fail)
    assert client.get("/readyz").status_code == 503
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"version": 1, "parts": {}})
