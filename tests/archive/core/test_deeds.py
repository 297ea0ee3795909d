"""Of two at once the second sees what the first did: each test would find a deed that reads before its turn.

The first one's transaction stays open until the database tells that the second one waits (or has ended, which is what
must not happen). SQLite has one writer; there the second one waits for its transaction's begin.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from appliance.contract.errors import PlainSightError, StorageError
from appliance.contract.request_signature import SignedRequest
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.people import grant
from archive.accounts import throttle
from archive.accounts.models import User
from archive.accounts.throttle import Source
from archive.core.deeds import after_commit, in_deed, one_deed, take_turn
from archive.custody.actors import ARCHIVE, Actor
from archive.custody.check import check
from archive.custody.log import record
from archive.custody.models import Entry
from archive.devices.models import BoxStatus
from archive.devices.reported_status import Message, keep
from archive.enrollment.deeds import give_claim
from archive.ingest import quotas
from archive.ingest.accept_start import accept_header
from archive.ingest.authentication import Sender
from archive.recordings import verification
from archive.recordings.custody_kinds import LOOK
from archive.recordings.models import Recording, Verification
from archive.records.grants import deeds as grants
from archive.records.letters import deeds as letters
from archive.records.letters.models import LetterKind, Template
from archive.records.meetings import deeds as meetings
from archive.records.meetings.models import Meeting, MeetingKind
from archive.records.people import deeds as people
from archive.records.people.models import Language, RightKind
from archive.records.requests import link_deeds
from archive.records.retention import deeds as retention
from archive.rooms.models import Room
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import NOON, make_person, make_student
from tests.support.archives import ROOT, Archive
from tests.support.spools import make_recording
from tests.support.waiting import until

pytestmark = pytest.mark.both_engines


def waits() -> bool:
    """Whether somebody waits for a lock of this database."""
    if connection.vendor != "postgresql":
        return True
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(statement)
        return bool(cursor.fetchone()[0])


def said(work: Callable[[], Any]) -> str:
    """What a deed refused with; empty if it was done."""
    try:
        work()
    except (PlainSightError, throttle.TooManyAttemptsError) as error:
        return str(error) or "refused"
    return ""


def beside(first: Callable[[], Any], second: Callable[[], Any]) -> list[str]:
    """Run `second` while what `first` did is not committed yet; return what each refused with."""

    def other() -> str:
        try:
            return said(second)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            told = said(first)
            beside: Future[str] = pool.submit(other)
            until(lambda: waits() or beside.done())
        return [told, beside.result(60)]


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


def test_two_versions_of_a_text_get_two_numbers(ann: User) -> None:
    kind, language = LetterKind.ACKNOWLEDGMENT, Language.ENGLISH
    shipped = Template.objects.filter(kind=kind, language=language).latest("version")
    last = shipped.version

    def write() -> None:
        letters.write_text(kind, language, shipped.subject, shipped.body, by=ann)

    assert beside(write, write) == ["", ""]
    numbers = Template.objects.filter(kind=kind, language=language).values_list("version", flat=True)
    assert sorted(numbers)[-2:] == [last + 1, last + 2]


def test_a_series_and_a_review_are_entered_once(ann: User) -> None:
    def series() -> None:
        retention.enter_series("SPED 1", "Meetings", [MeetingKind.IEP], by=ann)

    def review() -> None:
        grants.enter_review("2026-Q3", "all seen", ended=0, by=ann)

    assert beside(series, series) == ["", "There is a series with this code."]
    assert beside(review, review) == ["", "The grants of this quarter were reviewed already."]


def test_two_notices_for_one_day_are_of_one_meeting(ann: User) -> None:
    facts = meetings.NoticeFacts(make_student(), NOON, NOON - timedelta(days=3))
    assert beside(lambda: meetings.log_notice(facts, by=ann), lambda: meetings.log_notice(facts, by=ann)) == ["", ""]
    assert Meeting.objects.count() == 1


def test_two_claims_for_a_new_room_make_it_once(ann: User) -> None:
    def claim() -> None:
        give_claim("Room 77", by=Actor.user(ann.pk), now=NOON)

    assert beside(claim, claim) == ["", ""]
    assert Room.objects.filter(name="Room 77").count() == 1


def test_a_right_is_granted_and_a_ground_is_entered_once(ann: User) -> None:
    bob, student, person = make_user("bob"), make_student(), make_person()

    def give() -> None:
        grant(bob, Deed.LISTEN, by=Actor.user(ann.pk))

    def enter() -> None:
        day = date(2026, 1, 1)
        people.enter_right(student.pk, person, RightKind.PARENT, basis="b", valid_from=day, valid_to=None, by=ann)

    assert beside(give, give) == ["", ""]
    assert Grant.objects.filter(user=bob, valid_until=None).count() == 1
    assert beside(enter, enter)[1].startswith("This person holds rights on this ground already")


def test_a_link_opens_once(ann: User) -> None:
    made = link_deeds.make_link(make_person(), by=ann)

    def use() -> None:
        link_deeds.use_link(made.token, made.code)

    first, second = beside(use, use)
    assert (first, "used already" in second) == ("", True)


def test_a_box_cannot_go_around_its_quota_by_beginning_twice_at_once(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "OPEN", 1)
    one, two = (make_recording(tmp_path / name, archive.keys, rate=16000, segment_frames=16000) for name in "ab")

    keys = archive.keys
    asked = SignedRequest(keys.box, "", "", "", b"")
    sender = Sender(asked, {keys.box_signing.public: keys.box}, frozenset({keys.box}))

    def begin(recording: Any) -> Callable[[], Any]:
        return lambda: accept_header(recording.id, sender, recording.header_line)

    first, second = beside(begin(one), begin(two))
    assert (first, "are not sealed" in second) == ("", True)
    assert Recording.objects.count() == 1


def test_who_guesses_in_parallel_is_counted_one_by_one(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_PAIR", 1)

    def guess() -> None:
        throttle.begin("ann", Source("192.0.2.1"))

    assert [bool(refused) for refused in beside(guess, guess)] == [False, True]


def test_a_check_that_two_ask_for_is_one(archive: Archive, sealed: Arrive) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    assert beside(lambda: verification.ask(row, ARCHIVE), lambda: verification.ask(row, ARCHIVE)) == ["", ""]
    assert Verification.objects.count() == 1


def test_two_listeners_that_hear_the_same_keep_it_once(archive: Archive) -> None:
    heard = Message(
        f"plainsight/{archive.keys.box}/online", b'{"version":1,"online":true,"session":4}', retained=False, at=NOON
    )
    later = replace(heard, payload=b'{"version":1,"online":true,"session":5}')
    assert beside(lambda: keep([heard]), lambda: keep([later])) == ["", ""]
    assert BoxStatus.objects.get().session == 5


def test_who_writes_the_log_at_once_makes_one_chain(archive: Archive) -> None:
    before = Entry.objects.count()
    assert beside(lambda: record_in_a_deed("a"), lambda: record_in_a_deed("b")) == ["", ""]
    assert Entry.objects.count() == before + 2
    assert check() is None


def record_in_a_deed(page: str) -> None:
    with one_deed():
        record(LOOK, actor=ARCHIVE, page=page)


def test_a_turn_keeps_others_away_until_the_transaction_ends(archive: Archive) -> None:
    seen: list[str] = []

    def turn(name: str) -> Callable[[], None]:
        def take() -> None:
            with transaction.atomic():
                take_turn("one thing")
                # SQLite's transaction begins here at the latest
                Room.objects.filter(name=name).update(name=name)
                seen.append(name)

        return take

    assert beside(turn("first"), turn("second")) == ["", ""]
    assert seen == ["first", "second"]


def test_a_deed_that_fails_leaves_nothing_behind(archive: Archive) -> None:
    def fail() -> None:
        with one_deed():
            record(LOOK, actor=ARCHIVE, page="x")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not in_deed()
    assert check() is None


@pytest.mark.parametrize("no", [StorageError("full"), OSError("away"), OperationalError("no route to host")])
def test_a_deed_stands_and_is_answered_as_done_whatever_fails_after_its_commit(
    archive: Archive, no: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise no

    with one_deed():
        record(LOOK, actor=ARCHIVE, page="x")
        after_commit(fail)
    assert "left to the worker" in caplog.text
    assert Entry.objects.latest("n").code == LOOK.code


def transactions_that_enter(path: Path) -> list[int]:
    """Lines of a module where a transaction that is no deed makes an entry, as its text shows."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.With) and "transaction.atomic()" in {ast.unparse(one) for one in node.items}:
            inside = [one for part in node.body for one in ast.walk(part)]
            deeds = [one for one in inside if isinstance(one, ast.With) and "one_deed" in ast.unparse(one.items[0])]
            called = {ast.unparse(one.func) for one in inside if isinstance(one, ast.Call)}
            if called & {"record", "_enter"} and not deeds:
                found.append(node.lineno)
    return found


def test_whatever_makes_an_entry_is_a_deed() -> None:
    """It would read before its turn: on PostgreSQL another one may change that until the commit."""
    modules = [path for path in (ROOT / "archive").rglob("*.py") if "migrations" not in path.parts]
    found = {f"{path.relative_to(ROOT)}:{line}" for path in modules for line in transactions_that_enter(path)}
    assert found == set()
