"""What a custodian decides about recordings, with the keyboard alone: holds, retention, destruction, disclosure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone
from selenium.webdriver.common.keys import Keys as Key
from selenium.webdriver.support.ui import WebDriverWait

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.destruction.models import Destruction, State
from archive.records.destruction.rules import REST
from archive.records.disclosures.models import Basis, Disclosure
from archive.records.holds.models import Matter
from archive.records.retention.models import Answer, CountsFrom
from tests.archive.page_fixtures import seal_one
from tests.archive.records.destruction.scene import decide
from tests.archive.records.factories import make_filing, make_meeting, make_person, make_right, make_student
from tests.archive.records.retention.test_retention import age
from tests.archive.ui.keyboard import choose, find, fold_out, page, signed_in, status, tick
from tests.archive.ui.test_browser import PATIENCE, Visit, chromium, real_user
from tests.support.archives import archive_in


@dataclass(frozen=True)
class District:
    """What is there when they come."""

    address: str
    kept: str
    """A recording whose period is not over."""
    old: str
    """One of two years ago, of a meeting whose recordings the district keeps for one."""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with archive_in(tmp_path_factory.mktemp("life") / "archive") as made:
        for name in ("m.jones", "a.lee"):
            real_user(name, "custodian")
        kept, old = (seal_one(made, tmp_path_factory.mktemp("spool"), seconds=2).id for _ in range(2))
        student, parent = make_student("Sam", "Fox", local_id="4711"), make_person("Rosa", "Fox")
        make_right(parent, student)
        for recording in (kept, old):
            make_filing(recording, make_meeting(student, timezone.now()))
        age(Recording.objects.get(pk=old), 2 * 365)
        decide(User.objects.get(username="m.jones"))
        connections.close_all()
        with made.serving() as address:
            yield District(address, kept, old)


@pytest.fixture(scope="module")
def browser(district: District, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1280,900") as started:
        yield Visit(started, district.address)


@pytest.fixture
def visit(browser: Visit) -> Iterator[Visit]:
    """A custodian, signed in; afterwards nothing stands in the browser's console."""
    yield signed_in(browser, "m.jones")
    assert browser.complaints() == []


def test_a_custodian_opens_a_matter_puts_recordings_under_it_and_ends_it(visit: Visit, district: District) -> None:
    fold_out(visit, "Holds")
    visit.follow("Open a matter")
    visit.type(title="Fox v. District", reason="a lawsuit", owner="Counsel Lee")
    visit.follow("Save")
    visit.type(recordings=district.old)
    visit.follow("Put on hold")
    assert status(visit).startswith("It is on hold.")
    find(visit, district.kept)
    visit.follow("Put it on hold")
    choose(visit, "matter", "Fox v. District")
    visit.follow("Put on hold")
    matter = Matter.objects.get(title="Fox v. District")
    assert {one.recording_id for one in matter.items.all()} == {district.kept, district.old}
    visit.follow("Release it")
    visit.type(reason="Counsel Lee said so.")
    visit.follow("Release it")
    assert status(visit) == "It was released from this matter."
    assert matter.items.filter(released_at=None).count() == 1
    visit.follow("Put on hold")
    visit.type(student="4711")
    visit.follow("Put on hold")
    assert "All recordings of Sam Fox" in page(visit)
    visit.follow("End it")
    visit.type(reason="It was settled.")
    visit.follow("End it")
    assert status(visit) == "The matter has ended."
    matter.refresh_from_db()
    assert (matter.released_at is not None, matter.release_reason) == (True, "It was settled.")


def test_a_custodian_enters_what_counsel_answered(visit: Visit) -> None:
    fold_out(visit, "Retention")
    visit.follow("Print the question")
    visit.follow("Retention")
    visit.follow("Enter a record series")
    visit.type(code="SPED 2", title="Plans under Section 504")
    tick(visit, "kinds", "Section 504 meeting")
    visit.follow("Save")
    visit.follow("Enter what was decided")
    choose(visit, "length", "for some years")
    visit.type(years="3")
    visit.tab_to("counts_from")
    visit.press("the day of the m")
    choose(visit, "on_request", "no")
    visit.type(citation="schedule, item 7", decided_by="the board", decided_on=f"{timezone.localdate():%m%d%Y}")
    visit.type(advice="Counsel Lee, letter of October 30")
    visit.follow("Save")
    assert status(visit) == "The decision was entered."
    found = Answer.objects.get(series__code="SPED 2")
    assert (found.years, found.counts_from, found.on_request) == (3, CountsFrom.MEETING, False)


def test_two_custodians_destroy_a_recording_after_the_day_of_rest(visit: Visit, district: District) -> None:
    fold_out(visit, "Retention")
    visit.follow("What may be destroyed within a year")
    visit.follow(visit.run("return document.querySelector('tbody a').innerText"))
    assert visit.run("return location.pathname") == f"/recordings/{district.old}/"
    visit.follow("Propose its destruction")
    choose(visit, "basis", "its retention period is over")
    visit.type(reason="The school years are over.")
    visit.follow("Propose it")
    visit.follow("write the letter to Rosa Fox")
    visit.follow("Make the letter")
    visit.follow("Note its delivery")
    visit.type(how="by hand")
    visit.follow("Note the delivery")

    def the_destruction() -> None:
        fold_out(visit, "Destruction")
        visit.follow(visit.run("return document.querySelector('main .title a').innerText"))

    the_destruction()
    visit.follow("enter the answer of Rosa Fox")
    choose(visit, "reply", "agrees")
    visit.follow("Save")
    assert "A second person must approve it." in page(visit)
    signed_in(visit, "a.lee")
    the_destruction()
    visit.follow("Approve it")
    visit.follow("Yes, I approve it")
    assert status(visit) == "It was approved. It can be carried out in a day."
    buttons = "return [...document.querySelectorAll('main a.button')].map((one) => one.innerText)"
    assert visit.run(buttons) == ["Withdraw it"], "the day of rest"
    Destruction.objects.update(approved_at=timezone.now() - REST - timedelta(minutes=1))
    connections.close_all()
    the_destruction()
    visit.follow("Destroy it for good")
    visit.follow("Destroy it for good")
    assert "This field is required." in page(visit), "the button alone is pressed too easily"
    visit.tab_to("understood")
    visit.press(Key.SPACE)
    visit.follow("Destroy it for good")
    assert status(visit) == "It was destroyed. Here is the certificate."
    visit.tab_to("Certificate (PDF)")
    assert Destruction.objects.get().state == State.DONE
    assert Recording.objects.get(pk=district.old).destroyed_at is not None
    visit.complaints()  # the browser's own, about the form that was refused


def test_a_custodian_discloses_a_recording_through_both_gates(visit: Visit, district: District, tmp_path: Path) -> None:
    find(visit, district.kept)
    visit.follow("Disclose it")
    party, purpose, today = "Dr. Lee, evaluator", "an evaluation", f"{timezone.localdate():%m%d%Y}"
    visit.type(party=party, purpose=purpose)
    choose(visit, "what", "the audio, as a FLAC file")
    choose(visit, "basis", str(Basis.CONSENT.label))
    visit.follow("Prepare it")
    assert page(visit).count("Missing:") == 2, "neither gate is open"
    visit.follow("Enter a consent")
    visit.type(person="Rosa Fox", records="the recording of the meeting", purpose=purpose, party=party, signed_on=today)
    choose(visit, "how", "signed on paper")
    visit.type(proof="in the file")
    paper = tmp_path / "consent.pdf"
    paper.write_bytes(b"%PDF-1.7 a scan")
    visit.tab_to("scan")
    # what stands in the dialog of the operating system, in which a file is chosen, is not the page's
    visit.browser.switch_to.active_element.send_keys(str(paper))
    visit.follow("Save")
    assert page(visit).count("Missing:") == 1
    visit.follow("Who was recorded")
    visit.type(name="Lee Park, teacher", consented_on=today, proof="in the file")
    visit.follow("Save")
    visit.follow("Go back without saving")
    assert "Missing:" not in page(visit)
    taken = tmp_path / "taken"
    taken.mkdir()
    allowed = {"behavior": "allow", "downloadPath": str(taken)}
    visit.browser.execute_cdp_cmd("Page.setDownloadBehavior", allowed)
    visit.tab_to("Hand out the copy")
    visit.press(Key.ENTER)
    WebDriverWait(visit.browser, PATIENCE, 0.1).until(lambda _: list(taken.glob("*.zip")))
    (copy,) = taken.iterdir()
    WebDriverWait(visit.browser, PATIENCE, 0.1).until(lambda _: Disclosure.objects.get().handed_at is not None)
    assert Disclosure.objects.get().sha256 == hashlib.sha256(copy.read_bytes()).hexdigest()
    connections.close_all()
    fold_out(visit, "Disclosures")
    visit.follow(party)
    visit.tab_to("Receipt (PDF)")
