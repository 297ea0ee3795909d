"""What is due today, for each of the four people; and the readiness report at seven."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.configuration.services import Mail
from archive.custody.models import Entry
from archive.records.letters.models import LetterKind
from archive.records.requests.models import Amendment
from archive.records.today import deeds
from archive.records.today.models import ReadinessReport
from archive.records.today.readiness import Readiness, RoomState, as_text, readiness
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    make_letter,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_student,
)
from tests.support.archives import Archive

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def room(name: str, sign: Any = "ready") -> RoomState:
    return RoomState(name, sign, sign, "look at its plug" if sign != "ready" else "")


def test_booked_rooms_that_are_not_ready_come_first() -> None:
    rooms = [room("A"), room("B", "at-fault"), room("C"), room("D", "unknown"), room("E", "at-fault")]
    booked = {"A": NOON, "C": NOON - timedelta(hours=1), "E": NOON}
    assert [one.room.room for one in readiness(rooms, booked)] == ["E", "C", "A", "B", "D"]


@pytest.mark.parametrize("sign", ["unknown", "working", "attention", "at-fault"])
def test_whoever_reads_of_a_room_that_is_not_ready_is_told_what_to_do(sign: Any) -> None:
    line = Readiness(RoomState("A", sign, "not known", ""), None)
    assert "Look at the box" in line.to_do
    assert line.to_do in as_text([line], "x")[1]


def test_the_report_names_rooms_and_remedies_and_no_student() -> None:
    heading, text = as_text([Readiness(room("B", "at-fault"), NOON), Readiness(room("A"), None)], "Tue Nov 24 2026")
    assert heading == "Rooms, Tue Nov 24 2026: 1 not ready"
    assert "NOT READY: B, first meeting 6:00 pm" in text
    assert "look at its plug" in text
    assert as_text([], "x")[0] == "Rooms, x: all ready"


@pytest.fixture
def mailing(archive: Archive) -> Iterator[None]:
    """The archive may send mail; what it sends is kept in mail.outbox."""
    given = Mail(host="localhost", sender="archive@example.org", readiness_to=["it@example.org"])
    configuration = settings.ARCHIVE.model_copy(update={"mail": given})
    backend = "django.core.mail.backends.locmem.EmailBackend"
    with override_settings(ARCHIVE=configuration, EMAIL_BACKEND=backend):
        mail.outbox = []
        yield


def it_is(monkeypatch: pytest.MonkeyPatch, hour: int) -> None:
    monkeypatch.setattr(timezone, "localtime", lambda *_: at(hour))


def at(hour: int) -> datetime:
    return timezone.make_aware(datetime(2026, 11, 24, hour, 5))  # noqa: DTZ001 - make_aware gives the zone


def test_the_report_goes_out_once_from_seven_on(mailing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, 6)
    assert not deeds.send_due_report(StopSignal())
    it_is(monkeypatch, 7)
    assert deeds.send_due_report(StopSignal())
    assert not deeds.send_due_report(StopSignal())
    (sent,) = mail.outbox
    assert sent.to == ["it@example.org"]
    assert ReadinessReport.objects.get().day == date(2026, 11, 24)
    assert Entry.objects.filter(code="readiness").count() == 1


def test_a_mail_that_cannot_be_sent_is_tried_again(mailing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, 8)

    def fail(*_: object) -> int:
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as broken:
        broken.setattr(deeds, "send_mail", fail)
        assert not deeds.send_due_report(StopSignal())
    assert not ReadinessReport.objects.exists()
    assert deeds.send_due_report(StopSignal())


def test_without_mail_nothing_is_sent(archive: Archive) -> None:
    assert not deeds.send_due_report(StopSignal())


@pytest.fixture
def lived_in(archive: Archive, arrive: Arrive) -> None:
    """A district with something due in each list."""
    student, mother = make_student("Ana", "Torres", birth_date=date(2000, 1, 1)), make_person()
    make_right(mother, student)
    make_meeting(student, timezone.now().replace(microsecond=0))
    # no clock closes it
    make_meeting(make_student("Ben", "Ash"), timezone.now() - timedelta(days=900), parent_records="yes")
    make_request(student, mother, received_on=date(2026, 1, 1))
    make_letter(student)
    arrive(seconds=1)


def test_a_custodian_sees_all_that_is_due(archive: Archive, lived_in: None) -> None:
    client = signed_in(archive, "director", role="custodian")
    text = check(client.get("/", follow=True).content.decode()).text
    for due in (
        "Ana Torres",
        "Enter the incident record: Ben Ash",
        "Answer the request of Rosa Torres",
        "late",
        "File recordings: 1",
        "Decide what follows at 18: Ana Torres",
        "Review who has access",
        "Deliver: About",
    ):
        assert due in text, due


@pytest.mark.parametrize(
    ("state", "told"),
    [("asked", "Decide on a request to amend"), ("refused", ""), ("hearing", "Enter the outcome of the hearing")],
)
def test_an_amendment_is_a_task_while_it_is_the_districts_turn(
    archive: Archive, arrive: Arrive, state: str, told: str
) -> None:
    about: dict[str, Any] = {
        "student": make_student("Ana", "Torres"),
        "person": make_person(),
        "recording_id": arrive(seconds=1).id,
    }
    make_right(about["person"], about["student"])
    Amendment.objects.create(**about, state=state, received_on=date(2026, 1, 5), hearing_on=date(2026, 2, 5), text="x")
    text = check(signed_in(archive, "director", role="custodian").get("/today/").content.decode()).text
    assert (f"{told} about Ana Torres" in text) is bool(told)
    assert ("No request is due within two weeks." in text) is (not told)


@pytest.mark.parametrize(("ago", "told"), [(None, False), (30, False), (31, True)])
def test_a_refusal_is_a_task_once_the_time_given_from_its_letter_has_passed(
    archive: Archive, arrive: Arrive, ago: int | None, told: bool
) -> None:
    student, person = make_student("Ana", "Torres"), make_person()
    make_right(person, student)
    case = Amendment.objects.create(
        student=student,
        person=person,
        recording_id=arrive(seconds=1).id,
        state="refused",
        received_on=date(2026, 1, 5),
        hearing_days=30,
        text="x",
    )
    # days of the calendar: by the clock, one of them has 25 hours
    delivered = None if ago is None else timezone.localtime() - timedelta(days=ago)
    about = {"about_type": "case", "about_id": str(case.pk)}
    make_letter(student, LetterKind.REFUSAL_TO_AMEND, delivered_at=delivered, **about)
    text = check(signed_in(archive, "director", role="custodian").get("/today/").content.decode()).text
    assert ("Enter whether a hearing was asked for about Ana Torres" in text) is told


def test_a_facilitator_sees_meetings_and_letters_and_no_requests(archive: Archive, lived_in: None) -> None:
    client = signed_in(archive, "case.manager", role="facilitator")
    text = check(client.get("/", follow=True).content.decode()).text
    assert "Meetings today" in text
    assert "Requests of parents" not in text


def test_it_sees_rooms_and_no_names(archive: Archive, lived_in: None) -> None:
    client = signed_in(archive, "it.support", role="technician")
    text = check(client.get("/readiness/").content.decode()).text
    assert "Torres" not in text
    assert "Ash" not in text


def test_an_empty_district_says_what_will_stand_there(archive: Archive) -> None:
    client = signed_in(archive, "director", role="custodian")
    text = check(client.get("/today/").content.decode()).text
    assert "No meeting is planned for today." in text
    assert "Nothing waits to be filed." in text


class _Lines(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        data = False
        for line in self.rfile:
            if data:
                self.server.lines.append(line)  # type: ignore[attr-defined]  # made by the fixture
                if line == b".\r\n":
                    data = False
                    self.wfile.write(b"250 ok\r\n")
                continue
            data = line.upper().startswith(b"DATA")
            self.wfile.write(b"354 go on\r\n" if data else b"250 ok\r\n")
            if line.upper().startswith(b"QUIT"):
                return


@pytest.fixture
def mail_server() -> Iterator[Any]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Lines)
    server.lines = []  # type: ignore[attr-defined]  # what the handler writes to
    thread = threading.Thread(target=server.serve_forever, name="mail-server")
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_report_reaches_a_real_mail_server(
    mailing: None, mail_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    it_is(monkeypatch, 9)
    host, port = mail_server.server_address
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=smtp, EMAIL_HOST=host, EMAIL_PORT=port):
        assert deeds.send_due_report(StopSignal())
    assert any(line.startswith(b"Subject: Rooms") for line in mail_server.lines)
