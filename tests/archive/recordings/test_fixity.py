"""Every package is checked in time, at night, and what is damaged is told wherever somebody looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.stop_signal import StopSignal
from archive.configuration.storage import Fixity
from archive.core.jobs import JOBS
from archive.custody.actors import ARCHIVE, Actor
from archive.doctor import fixity as doctor
from archive.recordings import fixity, verification
from archive.recordings.fixity import ask_what_is_due, night_since, report, share
from archive.recordings.metrics import gauges
from archive.recordings.models import Recording, Verification
from archive.recordings.verification import ask, check_asked
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in, who
from tests.archive.pages import check
from tests.support.archives import Archive, lose_key

ZONE = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 11, 26, 23, 30, tzinfo=ZONE)


@pytest.fixture
def night(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "localtime", lambda *_: timezone.now().astimezone(ZONE))
    every_hour = settings.ARCHIVE.model_copy(update={"fixity": Fixity(every_days=10, from_hour=0, to_hour=0)})
    with override_settings(ARCHIVE=every_hour):
        yield


def days_ago(days: float, *recordings: str) -> None:
    then = timezone.now() - timedelta(days=days)
    Recording.objects.filter(pk__in=recordings).update(sealed_at=then)
    Verification.objects.filter(recording__in=recordings).update(finished_at=then)


def package(archive: Archive, recording: str) -> Path:
    return archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip"


def flip(path: Path) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (datetime(2026, 11, 26, 23, 30, tzinfo=ZONE), datetime(2026, 11, 26, 20, tzinfo=ZONE)),
        (datetime(2026, 11, 27, 4, 59, tzinfo=ZONE), datetime(2026, 11, 26, 20, tzinfo=ZONE)),
        (datetime(2026, 11, 27, 5, 0, tzinfo=ZONE), None),
        (datetime(2026, 11, 26, 19, 59, tzinfo=ZONE), None),
    ],
)
def test_the_night_is_where_the_settings_say(now: datetime, since: datetime | None) -> None:
    assert night_since(now, Fixity()) == since


def test_the_same_hour_twice_is_all_day() -> None:
    chosen = Fixity(from_hour=3, to_hour=3)
    for hour in range(24):
        assert night_since(datetime(2026, 11, 26, hour, tzinfo=ZONE), chosen) is not None


@given(st.integers(0, 3000), st.integers(7, 366))
def test_all_sealed_in_one_day_are_each_checked_within_the_period(packages: int, every_days: int) -> None:
    """What is due after half the period, taken by the share of a night, is done before the period ends."""
    left, day = packages, every_days / 2
    while left > 0:
        left -= share(packages, every_days)
        day += 1
    assert day <= every_days + 1
    assert share(packages, every_days) <= 2 * packages / every_days + 1, "and a night takes no more than twice its part"


def test_what_is_due_is_checked_at_night_and_entered(night: None, sealed: Arrive) -> None:
    old, fresh = sealed(seconds=1).id, sealed(seconds=1).id
    days_ago(6, old)
    assert ask_what_is_due(StopSignal()) == 1
    assert ask_what_is_due(StopSignal()) == 0, "it waits already"
    check_asked(StopSignal())
    (entry,) = entries(old, "verify")
    assert who(entry) == "archive"
    assert json.loads(entry.detail)["verdict"] == "intact"
    assert not entries(fresh, "verify")
    assert ask_what_is_due(StopSignal()) == 0, "its turn is over"


def test_by_day_nothing_is_asked_for(archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    days_ago(400, sealed(seconds=1).id)
    monkeypatch.setattr(timezone, "localtime", lambda *_: NIGHT.replace(hour=12))
    assert ask_what_is_due(StopSignal()) == 0


def test_a_night_takes_its_share_the_oldest_first(night: None, sealed: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [sealed(seconds=1).id for _ in range(3)]
    for days, one in zip((7, 9, 8), made, strict=True):
        days_ago(days, one)
    assert ask_what_is_due(StopSignal()) == 1, "two thirds of a package, rounded up"
    assert Verification.objects.get().recording_id == made[1]
    check_asked(StopSignal())
    assert ask_what_is_due(StopSignal()) == 0, "tonight's share is done"
    monkeypatch.setattr(timezone, "localtime", lambda *_: timezone.now().astimezone(ZONE) + timedelta(days=1))
    assert ask_what_is_due(StopSignal()) == 1


def test_a_person_who_asks_comes_first(night: None, sealed: Arrive) -> None:
    made = [sealed(seconds=1).id for _ in range(2)]
    ask(Recording.objects.get(pk=made[0]), ARCHIVE)
    ask(Recording.objects.get(pk=made[1]), Actor.user(make_user("m.jones").pk))
    assert [one.recording_id for one in verification._waiting(StopSignal())] == [made[1], made[0]]


def test_a_clock_that_was_put_back_stops_no_check(night: None, sealed: Arrive) -> None:
    made = sealed(seconds=1).id
    days_ago(-365, made)
    assert report(timezone.now()).overdue == 1
    assert ask_what_is_due(StopSignal()) == 1


def test_what_is_damaged_is_told_everywhere_until_it_is_restored(night: None, archive: Archive, sealed: Arrive) -> None:
    good, bad = sealed(seconds=1).id, sealed(seconds=1).id
    whole = package(archive, bad).read_bytes()
    flip(package(archive, bad))
    days_ago(9, good, bad)
    for _ in range(2):
        ask(Recording.objects.get(pk=bad), ARCHIVE)
        check_asked(StopSignal())
    (*_, entry) = entries(bad, "verify")
    assert (who(entry), json.loads(entry.detail)["verdict"]) == ("archive", "tampered")
    custodian = signed_in(archive, "m.jones", role="custodian")
    assert bad in archive.run("fixity", status=1).stdout
    for waiting in (False, True):
        if waiting:
            # the check that is asked for takes nothing back before it is done
            ask(Recording.objects.get(pk=bad), ARCHIVE)
        assert report(timezone.now()).damaged == (bad,)
        assert [one.verdict for one in doctor.check(doctor.look(timezone.now()))] == ["wrong"]
        assert {one.name: one.value for one in gauges()}["packages_damaged"] == 1
        page = check(custodian.get("/package-checks/").content.decode())
        assert ("being checked again" in page.text) is waiting, "no other moment is told as that of the check"
        assert f"/recordings/{bad}/verification/" in [link.attributes["href"] for link in page.all("a")]
        today = check(custodian.get("/today/").content.decode())
        assert "Damaged: recording of" in today.text
        assert "damaged" in check(custodian.get(f"/recordings/{bad}/").content.decode()).text.lower()
    package(archive, bad).write_bytes(whole)
    check_asked(StopSignal())
    assert report(timezone.now()).damaged == ()
    archive.run("fixity")


def test_a_package_that_is_gone_is_a_finding_with_an_entry(night: None, archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1).id
    package(archive, made).unlink()
    ask(Recording.objects.get(pk=made), ARCHIVE)
    check_asked(StopSignal())
    assert report(timezone.now()).damaged == (made,)
    (entry,) = entries(made, "verify")
    assert json.loads(entry.detail)["verdict"] == "not-a-package"


def test_a_store_that_is_away_blames_no_package(
    night: None, archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = sealed(seconds=1).id
    ask(Recording.objects.get(pk=made), ARCHIVE)
    (archive.home / "store").rename(archive.home / "away")
    (archive.home / "store").write_text("no folder")
    check_asked(StopSignal())
    assert "nothing is checked" in caplog.text
    assert report(timezone.now()).damaged == ()
    assert Verification.objects.get().finished_at is None
    assert not entries(made, "verify")


def test_a_recording_without_its_key_is_not_called_damaged(night: None, sealed: Arrive) -> None:
    """The audit tells that its key is gone; its package is what was sealed."""
    made = sealed(seconds=1).id
    lose_key(made)
    ask(Recording.objects.get(pk=made), ARCHIVE)
    check_asked(StopSignal())
    assert report(timezone.now()).damaged == ()


def test_who_sees_the_list_sees_what_is_damaged_and_opens_only_what_they_may(archive: Archive, sealed: Arrive) -> None:
    bad = sealed(seconds=1).id
    package(archive, bad).unlink()
    ask(Recording.objects.get(pk=bad), ARCHIVE)
    check_asked(StopSignal())
    for role, opens in (("auditor", True), ("technician", False)):
        page = check(signed_in(archive, f"some.{role}", role=role).get("/package-checks/").content.decode())
        assert (f"/recordings/{bad}/verification/" in [link.attributes["href"] for link in page.all("a")]) is opens
        assert "damaged" in page.text
    assert signed_in(archive, "case.manager", role="facilitator").get("/package-checks/").status_code == 403


def test_nothing_overdue_and_nothing_damaged_ends_with_0(night: None, archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    found = json.loads(archive.run("fixity", "--json").stdout)
    assert (found["packages"], found["checked"], found["overdue"], found["damaged"]) == (1, 1, 0, [])


def test_the_worker_asks_and_checks_in_a_lane_of_their_own() -> None:
    lanes = {job.name: job.lane for job in JOBS}
    assert lanes["asking for the night's checks"] == lanes["checking"] == "checking"
    assert fixity.LOOK_S <= 60
