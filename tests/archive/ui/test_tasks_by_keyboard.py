"""What each of the four people comes for, done with the keyboard alone, from the first page on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.utils import timezone
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys as Key

from archive.access.models import Grant
from archive.accounts.models import User
from archive.custody.actors import ARCHIVE
from archive.enrollment.deeds import give_claim
from archive.records.grants.models import Review
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import Letter, Template
from archive.records.meetings.models import Filing, Meeting, OpeningEvent, ParentRecords
from archive.records.people.models import Person, Student
from archive.records.requests.models import AccessRequest, Amendment
from archive.records.transcripts.deeds import Facts, bring, recipient_of
from archive.records.transcripts.models import Language, Source
from tests.archive.page_fixtures import seal_one
from tests.archive.records.factories import (
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.archive.rooms.test_pages import say
from tests.archive.ui.keyboard import find, fold_out, heading, signed_in, status
from tests.archive.ui.test_browser import Visit, chromium, real_user
from tests.support.archives import Archive, archive_in


@dataclass(frozen=True)
class District:
    """What is there when they come."""

    archive: Archive
    address: str
    student: Student
    parent: Person
    meeting: Meeting
    """Today."""
    recording: str
    """Filed under it by room and time, and not confirmed yet."""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with archive_in(tmp_path_factory.mktemp("tasks") / "archive") as made:
        for name, role in (("m.jones", "custodian"), ("p.smith", "facilitator"), ("it.support", "technician")):
            real_user(name, role)
        recording = seal_one(made, tmp_path_factory.mktemp("spool"), seconds=5).id
        student, parent = make_student("Sam", "Fox", local_id="4711"), make_person("Rosa", "Fox")
        make_right(parent, student)
        meeting = make_meeting(student, timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0))
        make_filing(recording, meeting, confirmed=False)
        for text in Template.objects.all():
            approve_text(text.pk, by=User.objects.get(username="m.jones"))
        connections.close_all()
        with made.serving() as address:
            yield District(made, address, student, parent, meeting, recording)


@pytest.fixture(scope="module")
def visit(district: District, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1280,900") as browser:
        yield Visit(browser, district.address)


def test_a_facilitator_finds_the_meeting_reads_the_opening_and_announces_the_end(
    visit: Visit, district: District
) -> None:
    signed_in(visit, "p.smith")
    assert heading(visit).startswith("Today")
    visit.follow("12:00 pm to 1:00 pm")
    visit.follow("Read the opening")
    visit.tab_to("I have read it")
    visit.press(Key.ENTER)
    visit.until("document.querySelectorAll('#noted li').length === 1")
    visit.tab_to("answer")
    visit.press(Key.SPACE)
    visit.type(text="a phone")
    visit.tab_to("Note the answer")
    visit.press(Key.ENTER)
    visit.type(who="Rosa Fox, mother")
    visit.tab_to("Is here and was told")
    visit.press(Key.ENTER)
    visit.type(text="goals are read")
    visit.tab_to("Note it with the time")
    visit.press(Key.ENTER)
    visit.tab_to("The end was announced")
    visit.press(Key.ENTER)
    visit.until("document.getElementById('sending').textContent === 'Everything noted is in the archive.'")
    kinds = list(OpeningEvent.objects.filter(meeting=district.meeting).order_by("at").values_list("kind", flat=True))
    assert kinds == ["opened", "parent-records", "told", "note", "ended"]
    assert Meeting.objects.get(pk=district.meeting.pk).parent_records == ParentRecords.YES
    assert visit.complaints() == []


def test_a_facilitator_plans_a_meeting_and_writes_its_letter(visit: Visit, district: District) -> None:
    signed_in(visit, "p.smith")
    visit.follow("Meetings")
    visit.follow("Week after")
    visit.follow("Plan a meeting")
    today = timezone.localdate()
    # a day of the week after, on whatever day this runs
    day = today + timedelta(days=9 - today.weekday())
    visit.type(student="4711", day=f"{day:%m%d%Y}", begin="0130PM", place="Library")
    visit.follow("Save")
    assert status(visit) == "The meeting was planned."
    visit.follow("Log a notice for this meeting")
    visit.follow("Log the notice")
    visit.follow("Acknowledge a notice by letter")
    visit.follow("Make the letter")
    visit.follow("Note its delivery")
    visit.type(how="by hand")
    visit.follow("Note the delivery")
    letter = Letter.objects.get()
    assert (letter.person, letter.delivered_how) == (district.parent, "by hand")
    visit.follow("Meetings")
    visit.follow("Week after")
    visit.follow("1:30 pm to 2:30 pm, Sam Fox")
    visit.follow(visit.run("return document.querySelector(`a[href*='/correct/']`).innerText"))
    visit.type(device="a phone", why="It was said on the phone.")
    visit.follow("Correct the notice")
    assert status(visit).startswith("The notice was corrected")
    visit.tab_to(visit.run("return document.querySelector(`.note a[href*='/letters/']`).innerText"))
    letter.refresh_from_db()
    assert letter.overtaken_at is not None
    assert visit.complaints() == []


def test_a_custodian_confirms_a_filing_and_answers_a_request(visit: Visit, district: District) -> None:
    signed_in(visit, "m.jones")
    fold_out(visit, "Tray")
    visit.follow("Confirm it")
    visit.follow("Yes, it is of this meeting")
    assert Filing.objects.get(recording=district.recording).confirmed_at is not None
    visit.follow("Requests")
    visit.follow("Enter an access request")
    visit.type(student="4711", person="Rosa Fox")
    visit.follow("Save")
    visit.follow("Enter the answer")
    visit.type(outcome="She listened at the office.")
    visit.follow("Save")
    assert AccessRequest.objects.get().closed_at is not None
    visit.follow("Requests")
    visit.follow("Enter a request to amend")
    visit.type(student="4711", person="Rosa Fox", recording=district.recording, text="The date is wrong.")
    visit.follow("Save")
    assert str(Amendment.objects.get().recording_id) == district.recording
    assert visit.complaints() == []


def test_a_custodian_finds_a_recording_and_looks_after_access(visit: Visit, district: District) -> None:
    signed_in(visit, "m.jones")
    find(visit, district.recording)
    fold_out(visit, "Access")
    visit.follow("Give access")
    until = timezone.localdate() + timedelta(days=30)
    visit.type(student="4711", user="p.smith")
    visit.type(purpose="teaches", position="Teacher", trained_on="08012026", until=f"{until:%m%d%Y}")
    visit.follow("Give access")
    given = Grant.objects.filter(user__username="p.smith", scope_id=str(district.student.pk))
    assert {one.deed for one in given} == {"list", "look", "listen"}
    visit.follow("End p.smith's access to Sam Fox")
    visit.follow("End it now")
    assert {one.valid_until <= timezone.now() for one in given.all() if one.valid_until} == {True}
    visit.follow("go through all grants")
    visit.tab_to("looked_at")
    visit.press(Key.SPACE)
    visit.follow("Enter the review")
    assert Review.objects.count() == 1
    assert visit.complaints() == []


def test_a_custodian_takes_a_roster_in(visit: Visit, district: District, tmp_path: Path) -> None:
    """What stands in the dialog of the operating system, in which a file is chosen, is not the page's."""
    roster = tmp_path / "roster.csv"
    roster.write_text("student_id,given_name,family_name\n9001,Ann,Ash\n")
    signed_in(visit, "m.jones")
    visit.follow("People")
    visit.follow("Import a roster")
    visit.tab_to("file")
    visit.browser.switch_to.active_element.send_keys(str(roster))
    visit.follow("Show what would change")
    visit.follow("Take it in")
    assert Student.objects.filter(source_id="9001").exists()
    assert visit.complaints() == []


def test_a_parent_signs_in_listens_and_reads_who_had_access(visit: Visit, district: District) -> None:
    Filing.objects.update(confirmed_at=timezone.now())
    signed_in(visit, "m.jones")
    visit.follow("Requests")
    visit.follow("Enter an access request")
    visit.type(student="4711", person="Rosa Fox")
    visit.follow("Save")
    visit.follow("Let the person listen by a link")
    visit.follow("Make the link")
    link, code = (visit.run(f"return document.querySelector('dd.{one}').innerText") for one in ("id", "code"))
    visit.browser.delete_all_cookies()
    visit.go(urlsplit(link).path)
    visit.type(code=code)
    visit.follow("Continue")
    assert heading(visit) == "Recordings for you"
    visit.follow(visit.run("return document.querySelector('main li a').innerText"))
    visit.tab_to("Play")
    visit.press(Key.ENTER)
    visit.until("document.querySelector('audio').currentTime > 0.2")
    visit.press(Key.ENTER)
    visit.follow("Recordings for you")
    visit.follow("Who had access to the recordings about Sam Fox")
    assert "listened" in visit.run("return document.querySelector('table').innerText")
    assert visit.complaints() == []


SAID = """WEBVTT

00:00.500 --> 00:01.500
Good morning, everyone.

00:02.000 --> 00:03.900
These are the services for Ana Núñez.

00:04.000 --> 00:04.900
The services begin in May.
"""


def held(visit: Visit, modifier: str, key: str) -> None:
    """Press a key while another one is held."""
    ActionChains(visit.browser).key_down(modifier).send_keys(key).key_up(modifier).perform()


def test_a_word_is_found_in_the_transcript_and_heard(visit: Visit, district: District) -> None:
    facts = Facts(Source.CART, Language.EN, "a captioner")
    bring(
        district.recording,
        SAID.encode(),
        0,
        facts,
        recipient_of(district.recording),
        by=User.objects.get(username="m.jones"),
    )
    signed_in(visit, "m.jones")
    visit.go(f"/recordings/{district.recording}/")
    visit.follow("Read the transcript while it plays")
    told = "document.querySelector('[data-found]').textContent"
    visit.type(words="Services")
    visit.press(Key.ENTER)
    visit.until(f"{told} === 'Place 1 of 2'")
    assert visit.focused() == "0:02"
    for _ in range(9):
        # back over the two controls beside the field
        held(visit, Key.SHIFT, Key.TAB)
        if visit.run("return document.activeElement.name") == "words":
            break
    held(visit, Key.CONTROL, "a")
    visit.press("nunez", Key.ENTER)
    visit.until(f"{told} === 'Place 1 of 1'")
    assert visit.run("return [...document.querySelectorAll('mark')].map((one) => one.textContent)") == ["Núñez"]
    assert visit.focused() == "0:02"
    visit.press(Key.ENTER)
    visit.until("document.querySelector('audio').currentTime > 2 && !document.querySelector('audio').paused")
    visit.until("document.querySelector('.cues .playing')?.innerText.includes('Núñez')")
    assert visit.run("return document.querySelectorAll('[aria-current=true]').length") == 1
    visit.until("document.querySelector('.cues .playing')?.innerText.includes('May')")
    visit.until("document.querySelector('.cues .playing') === null")
    assert visit.complaints() == []


def test_it_tells_which_room_is_not_ready_and_withdraws_a_claim(visit: Visit, district: District) -> None:
    say(district.archive, ready=False, faults=["microphone-missing"])
    claim = give_claim("Room 1", by=ARCHIVE, now=timezone.now()).row
    signed_in(visit, "it.support")
    visit.follow("Rooms")
    assert "At fault" in visit.run("return document.querySelector('.rooms').innerText")
    room = visit.run("return document.querySelector('.rooms h2 a').innerText")
    visit.follow(room)
    assert visit.run("return location.pathname") == "/recordings/"
    assert visit.run("return document.querySelectorAll('tbody a').length") == 0, "a list without links that are refused"
    visit.follow("Readiness")
    assert room in visit.run("return document.querySelector('table').innerText")
    visit.follow("This archive")
    visit.follow("Boxes")
    visit.follow(visit.run("return document.querySelector(`a[href*='claims/${arguments[0]}/']`).innerText", claim.pk))
    visit.follow("Withdraw it")
    claim.refresh_from_db()
    assert claim.withdrawn_at is not None
    assert visit.complaints() == []


def test_a_facilitator_sees_whether_the_room_is_ready_and_logs_what_a_parent_asks_for(
    visit: Visit, district: District
) -> None:
    say(district.archive, ready=False, faults=["microphone-missing"])
    signed_in(visit, "p.smith")
    visit.follow("My rooms")
    assert "At fault" in visit.run("return document.querySelector('table').innerText")
    visit.follow("My requests")
    visit.follow("Log that a parent asks for access")
    visit.type(student="4711", person="Rosa Fox")
    visit.follow("Save")
    assert status(visit).startswith("The request was logged")
    assert "Rosa Fox" in visit.run("return document.querySelector('table').innerText")
    assert AccessRequest.objects.filter(logged_by__username="p.smith").count() == 1
    assert visit.complaints() == []


CLOCK = "const now = Date.now; window.skipped = 0; Date.now = () => now() + window.skipped;"
"""A page's clock that a test can set forward."""


def test_the_kiosk_signs_out_whoever_left_and_shows_nothing_of_the_one_before(visit: Visit, district: District) -> None:
    signed_in(visit, "m.jones")
    visit.follow("Requests")
    visit.follow("Enter an access request")
    visit.type(student="4711", person="Rosa Fox")
    visit.follow("Save")
    visit.follow("Let the person listen by a link")
    visit.follow("Make one for the kiosk (30 minutes)")
    code = visit.run("return document.querySelector('dd.code').innerText")
    assert visit.run("return document.querySelectorAll('dd.id').length") == 0, "at the kiosk no link is typed"
    visit.follow("Requests")
    visit.follow("Make this browser the kiosk")
    visit.follow("Make it the kiosk")
    assert heading(visit) == "Listen to recordings of meetings"
    made = visit.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK})
    visit.type(code=code)
    visit.follow("Continue")
    assert "Sam Fox" in visit.run("return document.body.innerText")
    asks = "!document.querySelector('[data-kiosk]').hidden"
    visit.run("window.skipped += 95000")
    visit.until(asks)
    visit.press(Key.SHIFT)
    visit.until(f"!({asks})")
    visit.run("window.skipped += 125000")
    visit.until("location.pathname === '/kiosk/'")
    assert heading(visit) == "Listen to recordings of meetings"
    assert visit.run("return document.querySelector('[name=code]').value") == ""
    visit.browser.back()
    visit.until("document.readyState === 'complete'")
    assert "Sam Fox" not in visit.run("return document.body.innerText")
    visit.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    visit.complaints()
