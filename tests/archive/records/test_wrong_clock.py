"""A host's clock that goes back a year or ahead ten years destroys nothing and opens nothing earlier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import wall
from archive.access.decisions import granted_deeds, reach_of
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import Scope, barred_scopes
from archive.accounts.models import User
from archive.core.leases import Holder
from archive.custody import log
from archive.custody.actors import ARCHIVE, Actor
from archive.custody.clock import why_behind, why_wrong
from archive.custody.custody_kinds import CLOCK
from archive.custody.log import record
from archive.keystore.generations import forget_due, generations, make_generation
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures import notice_deeds
from archive.records.disclosures.models import Basis, Disclosure
from archive.records.disclosures.notice_deeds import Notice
from archive.records.errors import DeedError
from archive.records.people.reach import holders_now
from archive.records.public_lists.tables import members
from archive.records.requests import link_deeds
from archive.records.requests.custody_kinds import LINK_REFUSED
from archive.records.requests.link_deeds import LinkRefusedError
from archive.records.requests.models import ParentLink
from archive.records.retention.deeds import enter_answer
from archive.records.retention.models import Series
from tests.archive.page_fixtures import Arrive, entries, make_user
from tests.support.archives import Archive

from .destruction.scene import Scene, make_scene, untouched
from .disclosures.conftest import ann, row
from .disclosures.scene import consent, facts, open_second
from .factories import make_bar, make_person, make_right, make_student
from .retention.test_retention import facts as answer_facts

__all__ = ["ann", "row"]
BACK, AHEAD = timedelta(days=-365), timedelta(days=3652)
Clock = Callable[[timedelta], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put this host's clock off."""

    def put(off: timedelta) -> None:
        wrong: datetime = timezone.now() + off
        monkeypatch.setattr(timezone, "now", lambda: wrong)

    return put


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    return make_scene(sealed(seconds=1).id)


@pytest.mark.parametrize("off", [BACK, AHEAD])
def test_the_day_of_rest_is_not_over_by_a_wrong_clock(scene: Scene, clock: Clock, off: timedelta) -> None:
    made = scene.approved(hours=25 if off == BACK else 0)
    clock(off)
    with pytest.raises(DeedError, match="clock"):
        destruction_deeds.carry_out(made.pk, by=scene.ann)
    assert untouched(scene.row)


def test_no_period_is_over_by_a_clock_that_is_ahead(scene: Scene, clock: Clock) -> None:
    made = scene.told(scene.propose())
    enter_answer(Series.objects.get().pk, answer_facts(7), by=scene.ann)
    with pytest.raises(DeedError):
        destruction_deeds.approve(made.pk, by=scene.bob)
    clock(AHEAD)
    with pytest.raises(DeedError, match="clock"):
        destruction_deeds.approve(made.pk, by=scene.bob)
    assert untouched(scene.row)


@pytest.mark.parametrize("off", [BACK, AHEAD])
def test_a_compelled_copy_waits_for_its_day_whatever_the_clock_says(
    row: Recording, ann: User, clock: Clock, off: timedelta
) -> None:
    made = disclosure_deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)
    today = timezone.localdate()
    student = row.filings.get().meeting.student
    notice_deeds.enter_notice(made.pk, Notice(student, today, today + timedelta(days=10)), by=ann)
    clock(off)
    with pytest.raises(DeedError, match="clock"):
        disclosure_deeds.begin_copy(made.pk, by=ann)
    assert entries(row.pk, "disclosure-refused")[-1].member("missing").endswith("clock")
    assert Disclosure.objects.get().handed_at is None


def test_a_withdrawn_consent_does_not_stand_again_by_a_clock_put_back(row: Recording, ann: User, clock: Clock) -> None:
    long_ago = timezone.localdate() - timedelta(days=2 * 365)
    given = disclosure_deeds.enter_consent(row.pk, consent(row, signed_on=long_ago), by=ann)
    open_second(row, ann)
    made = disclosure_deeds.prepare(row.pk, facts(), by=ann)
    disclosure_deeds.begin_copy(made.pk, by=ann)
    disclosure_deeds.withdraw_consent(row.pk, given.pk, by=ann)
    clock(BACK)
    with pytest.raises(DeedError, match="clock"):
        disclosure_deeds.begin_copy(made.pk, by=ann)


@pytest.mark.parametrize(("off", "told"), [(BACK, "clock is wrong"), (AHEAD, "too old")])
def test_a_link_that_ended_opens_nothing_again_and_one_that_lasts_no_longer(
    archive: Archive, clock: Clock, off: timedelta, told: str
) -> None:
    made = link_deeds.make_link(make_person("Rosa", "Torres"), by=make_user("director", role="custodian"))
    if off == BACK:
        ParentLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    clock(off)
    with pytest.raises(LinkRefusedError, match=told):
        link_deeds.use_link(made.token, made.code)
    assert ParentLink.objects.get().used_at is None


def test_a_grant_that_ended_does_not_hold_again_by_a_clock_put_back(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, long_ago = make_user("m.jones"), timezone.now() - timedelta(days=3 * 365)
    end = timezone.now() - timedelta(days=100)
    Grant.objects.create(user=user, deed=Deed.LIST, valid_from=long_ago, valid_until=end)
    Grant.objects.create(user=user, deed=Deed.LOOK, valid_from=long_ago)
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")
    assert set(granted_deeds(user)) == {Deed.LOOK}
    clock(BACK)
    assert set(granted_deeds(user)) == {Deed.LOOK}
    assert not reach_of(user, Deed.LIST).scopes
    wrong = wall(timezone.now())
    monkeypatch.setattr(log, "now", lambda: wrong)
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")
    assert set(granted_deeds(user)) == {Deed.LOOK}, "an entry by the wrong clock takes nothing back"
    assert "clock is or was wrong" in why_behind()
    record(CLOCK, actor=Actor.operator())
    assert set(granted_deeds(user)) == {Deed.LIST, Deed.LOOK}, "somebody confirmed it: the one before was ahead"
    assert not why_behind()


def test_an_ended_account_and_a_court_order_stay_what_they_are_by_a_clock_put_back(
    archive: Archive, clock: Clock
) -> None:
    then = timezone.now() - timedelta(days=100)
    gone, parent = make_user("m.jones"), make_user("rosa")
    for user in (gone, parent):
        Grant.objects.create(user=user, deed=Deed.LOOK, valid_from=then - timedelta(days=2000))
    User.objects.filter(pk=gone.pk).update(active_until=then)
    student = make_student()
    make_bar(make_person("Rosa", "Torres", user=parent), student, valid_from=then.date())
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")
    clock(BACK)
    gone.refresh_from_db()
    assert gone.is_active, "what the clock alone says"
    assert not granted_deeds(gone)
    assert not reach_of(gone, Deed.LOOK).scopes
    assert [one.user for one in members()] == [parent], "the list of who has access names nobody else"
    assert Scope.student(student.pk) in barred_scopes(parent)


def test_a_court_order_is_not_over_by_a_clock_that_is_ahead(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, student = timezone.localdate(), make_student()
    rosa, luis = make_person("Rosa", "Torres", user=make_user("rosa")), make_person("Luis", user=make_user("luis"))
    for person, end in ((rosa, today + timedelta(days=1000)), (luis, today - timedelta(days=1))):
        make_right(person, student)
        make_bar(person, student, valid_from=today - timedelta(days=300), valid_to=end)
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")

    def barred() -> list[bool]:
        assert rosa.user is not None
        assert luis.user is not None
        return [Scope.student(student.pk) in barred_scopes(one) for one in (rosa.user, luis.user)]

    def holding() -> set[str]:
        found = holders_now(student.rights.select_related("person"), student.bars.all(), timezone.localdate())
        return {one.person.given_name for one in found}

    assert (barred(), holding()) == ([True, False], {"Luis"})
    clock(AHEAD)
    assert (barred(), holding()) == ([True, False], {"Luis"})
    monkeypatch.setattr(log, "now", lambda: wall(timezone.now()))
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")
    assert (barred(), holding()) == ([True, False], {"Luis"}), "an entry by the wrong clock lifts nothing"
    record(CLOCK, actor=Actor.operator())
    assert (barred(), holding()) == ([False, False], {"Luis", "Rosa"}), "somebody confirmed it"


@pytest.mark.parametrize("off", [BACK, AHEAD])
def test_no_copy_of_the_keys_is_forgotten_by_a_wrong_clock(archive: Archive, clock: Clock, off: timedelta) -> None:
    record(LINK_REFUSED, actor=ARCHIVE, why="unknown")
    made = [make_generation(timezone.now() - timedelta(days=days)) for days in (2, 1, 0)]
    clock(off)
    assert why_wrong()
    forget_due(StopSignal())
    assert generations() == made


@pytest.mark.parametrize("off", [BACK, AHEAD])
def test_a_lease_stands_by_the_databases_clock(archive: Archive, clock: Clock, off: timedelta) -> None:
    first, second = Holder(), Holder()
    assert first.take("a job")
    clock(off)
    assert not second.take("a job")
    first.renew()
    assert not second.take("a job")
