"""A custodian in a real browser: sign in, find, listen, jump, all with the keyboard; and rooms that stay true."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys as Key
from selenium.webdriver.support.ui import WebDriverWait

from appliance.contract.stop_signal import StopSignal
from archive.access.models import Grant
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.recordings import listens
from archive.recordings.models import Recording as Recorded
from archive.recordings.spans import from_text
from archive.recordings.verification import ask, check_asked
from tests.archive.page_fixtures import PASSWORD, entries, make_user, seal_one, who
from tests.archive.rooms.test_pages import say
from tests.support.archives import Archive, archive_in
from tests.support.spools import Recording
from tests.support.waiting import until

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]
PATIENCE = 30


@contextmanager
def chromium(profile: Path, *flags: str) -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary, "install Debian's chromium"
    assert driver, "install Debian's chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    # selenium's own 30 s are few for all rules of axe on a busy machine
    browser.set_script_timeout(180)
    try:
        yield browser
    finally:
        browser.quit()


def real_user(name: str = "m.jones", role: str = "custodian") -> None:
    """An account whose password the server of its own process accepts: tests in this one use a faster hasher."""
    user = make_user(name, role=role)
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6)
    user.save()
    connections.close_all()


class Visit:
    """A browser on the archive's pages."""

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def go(self, path: str) -> None:
        self.browser.get(self.address + path)

    def until(self, condition: str, *arguments: Any) -> Any:
        """Wait until a JavaScript expression is true."""
        script = f"return ({condition});"
        wait = WebDriverWait(self.browser, PATIENCE, 0.1)
        return wait.until(lambda browser: browser.execute_script(script, *arguments), condition)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self) -> str:
        """What the focus is on, as a person would name it."""
        # what a list can be set to is no name of it
        said = "e.ariaLabel || (e.tagName === 'SELECT' ? '' : e.innerText) || e.name || e.tagName"
        return str(self.run(f"const e = document.activeElement; return {said};"))

    def tab_to(self, name: str) -> None:
        """Press Tab until the focus is on `name`; it must be visible there."""
        for _ in range(60):
            self.press(Key.TAB)
            # asked once a key: each question goes through three processes
            focused = self.focused()
            if focused == name or focused.startswith(f"{name}: "):
                outline = self.run("return getComputedStyle(document.activeElement).outlineStyle;")
                assert outline != "none", f"the focus cannot be seen on {name}"
                return
        raise AssertionError(f"the keyboard does not reach {name!r}")

    def follow(self, name: str) -> None:
        """Tab to a link or button, press it, and wait for the page that it leads to."""
        self.run("window.beforeIt = true")
        self.tab_to(name)
        self.press(Key.ENTER)
        self.until("!window.beforeIt && document.readyState === 'complete'")

    def type(self, **fields: str) -> None:
        """Tab to each field by its name, in the order of the page, and type."""
        for name, text in fields.items():
            self.tab_to(name)
            self.press(text)

    def sign_in(self, path: str, name: str = "m.jones") -> None:
        """With the keyboard alone."""
        self.go(path)
        self.tab_to("username")
        self.press(name)
        self.tab_to("password")
        self.press(PASSWORD, Key.ENTER)
        self.until("!location.pathname.startsWith('/sign-in/')")

    def complaints(self) -> list[str]:
        """What the browser's console says: blocked content, scripts that failed."""
        lines = self.browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium left it without types
        return [line["message"] for line in lines if line["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, str]]:
    """One archive for this module, with a real server on it."""
    with archive_in(tmp_path_factory.mktemp("browser") / "archive") as made:
        real_user()
        with made.serving() as address:
            yield made, address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1200,900") as started:
        yield started


@pytest.fixture
def visit(served: tuple[Archive, str], browser: webdriver.Chrome) -> Visit:
    """The browser, signed out."""
    visit = Visit(browser, served[1])
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    visit.go("/sign-in/")
    browser.delete_all_cookies()
    visit.complaints()
    return visit


@pytest.fixture
def meeting(served: tuple[Archive, str], tmp_path: Path) -> Recording:
    return seal_one(served[0], tmp_path / "spool", seconds=40)


def test_a_custodian_signs_in_finds_a_recording_and_seeks_in_it(visit: Visit, meeting: Recording) -> None:
    visit.sign_in("/recordings/")
    visit.browser.find_element(By.CSS_SELECTOR, "tbody th a").click()
    visit.until("location.pathname === arguments[0]", f"/recordings/{meeting.id}/")
    assert visit.run("return document.querySelector('audio').readyState") == 0, "a look fetches no audio"
    assert not entries(meeting.id, "listen")

    visit.run(
        "window.seeked = []; const a = document.querySelector('audio'); a.load(); a.preload = 'auto';"
        "a.addEventListener('seeked', () => window.seeked.push(a.currentTime));"
    )
    visit.until("document.querySelector('audio').readyState >= 1")
    assert visit.run("return document.querySelector('audio').duration") == pytest.approx(40.0)
    for target in (31.25, 3.5, 39.0):
        visit.run("window.seeked = []; document.querySelector('audio').currentTime = arguments[0];", target)
        visit.until("window.seeked.length === 1")
        assert visit.run("return window.seeked[0]") == pytest.approx(target, abs=0.001)
    visit.run("const a = document.querySelector('audio'); a.currentTime = 20; return a.play();")
    visit.until("document.querySelector('audio').currentTime > 20.3")
    assert visit.run("return document.querySelector('audio').error") is None

    assert [who(entry) for entry in entries(meeting.id, "listen")] == ["user:m.jones"]
    listened = entries(meeting.id, "listen")[0].n
    until(lambda: listens.settle_recordings([meeting.id]), "what the player was sent is entered")
    spans = [span for entry in entries(meeting.id, "heard") for span in from_text(entry.member("spans"))]
    assert {entry.member("listen") for entry in entries(meeting.id, "heard")} == {listened}
    assert any(first <= 20 < last for first, last in spans), "what was played was sent"
    assert all(0 <= first < last <= 40 for first, last in spans)
    visit.browser.refresh()
    visit.until("document.body.innerText.includes('Listened')")
    assert visit.complaints() == []


def test_the_timeline_moves_the_player_with_the_keyboard_alone(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.tab_to("Play from 0:40")
    visit.press(Key.ENTER)
    visit.until("document.querySelector('audio').currentTime >= 39.9")
    assert visit.run("return document.querySelector('[data-news]').innerText") == "Playing from 0:40"
    visit.run("document.getElementById('main').focus()")
    visit.tab_to("Back 10 seconds")
    visit.press(Key.ENTER)
    visit.until("(t => t >= 29.9 && t < 39)(document.querySelector('audio').currentTime)")
    visit.until("!document.querySelector('audio').paused")
    assert len(entries(meeting.id, "listen")) == 1
    assert visit.complaints() == []


def test_the_player_itself_obeys_the_keyboard(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    for _ in range(30):
        visit.press(Key.TAB)
        if visit.run("return document.activeElement.tagName") == "AUDIO":
            break
    assert visit.run("return document.activeElement.tagName") == "AUDIO"
    visit.press(Key.SPACE)
    visit.until("(a => !a.paused && a.currentTime > 0.2)(document.querySelector('audio'))")


def test_keys_speed_time_of_day_and_the_row_that_plays(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.run("document.getElementById('main').focus()")
    visit.press("l")
    visit.until("(t => t >= 10 && t < 20)(document.querySelector('audio').currentTime)")
    visit.until("document.querySelector('[data-position]').textContent.includes('of 0:40, ')")
    assert visit.run("return document.querySelectorAll('tr.playing[aria-current=true]').length") == 1
    visit.press("k")
    visit.until("document.querySelector('audio').paused")
    visit.press("j")
    visit.until("document.querySelector('audio').currentTime < 10")
    visit.run(
        "const s = document.querySelector('[data-speed]'); s.value = '1.5'; s.dispatchEvent(new Event('change'));"
    )
    assert visit.run("return document.querySelector('audio').playbackRate") == 1.5
    visit.run("document.querySelector('audio').pause(); document.querySelector('[data-keys]').click();")
    visit.run("document.getElementById('main').focus()")
    visit.press("k")
    assert visit.run("return document.querySelector('audio').paused") is True, "the keys can be switched off"
    assert visit.complaints() == []


def test_arrows_and_the_waveform_move_the_player(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.run("document.getElementById('main').focus()")
    visit.press(Key.ARROW_RIGHT)
    visit.until("(t => t >= 5 && t < 9)(document.querySelector('audio').currentTime)")
    visit.press("k")
    visit.until("document.querySelector('audio').paused")
    visit.press(Key.ARROW_LEFT)
    visit.until("document.querySelector('audio').currentTime < 5")
    visit.run("document.querySelector('audio').pause(); document.querySelector('[data-seek-bar]').focus()")
    visit.press(Key.END)
    visit.until("document.querySelector('audio').currentTime >= 39")
    visit.until("document.querySelector('[data-seek-bar]').getAttribute('aria-valuetext') === '0:40 of 0:40'")
    box = visit.run("const r = document.querySelector('.wave').getBoundingClientRect(); return [r.x, r.y, r.width]")
    ActionChains(visit.browser).move_by_offset(int(box[0] + box[2] / 2), int(box[1] + 20)).click().perform()
    visit.until("(t => t >= 19.5 && t < 24)(document.querySelector('audio').currentTime)")
    assert visit.complaints() == []


def test_the_player_stays_in_sight_while_the_timeline_scrolls(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.run("window.scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    place = visit.run("const r = document.querySelector('.player').getBoundingClientRect(); return [r.top, r.bottom]")
    assert place[0] >= -1
    assert place[1] < visit.run("return window.innerHeight")


def test_who_was_signed_out_meanwhile_is_told_so_by_the_player(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.browser.delete_all_cookies()
    visit.run("document.querySelector('[data-play]').click()")
    visit.until("document.querySelector('[data-news]').textContent.startsWith('You were signed out.')")
    assert visit.run("return document.querySelector('[data-news]').className") == "note"
    visit.complaints()  # the browser's own, about the audio


def test_the_skip_link_is_the_first_stop(visit: Visit) -> None:
    visit.sign_in("/rooms/")
    visit.go("/recordings/")
    visit.press(Key.TAB)
    assert visit.focused() == "Skip to the content"
    visit.press(Key.ENTER)
    visit.until("document.activeElement.id === 'main'")


def test_verifying_with_the_keyboard(visit: Visit, meeting: Recording) -> None:
    visit.sign_in(f"/recordings/{meeting.id}/")
    visit.tab_to("Verify this recording")
    visit.press(Key.ENTER)
    visit.until("document.querySelector('h1').innerText === 'Checking a recording'")
    check_asked(StopSignal())
    visit.until("document.querySelector('h1').innerText.trim().startsWith('Verified')")
    assert len(entries(meeting.id, "verify")) == 1


def test_rooms_change_without_loading_the_page_again(visit: Visit, served: tuple[Archive, str]) -> None:
    archive = served[0]
    say(archive, panel="simulated")
    visit.sign_in("/rooms/")
    visit.run("window.unchanged = true;")
    rooms = visit.browser.find_element(By.CSS_SELECTOR, ".rooms")
    assert "Ready" in rooms.text
    running = {"state": "recording", "recording": "a" * 32, "rate": 8000, "frames": 8000, "acked_frame": 8000}
    say(archive, monotonic_ns=2 * 10**12, **running)
    visit.until("document.querySelector('.sign-recording span')?.textContent === 'Recording'")
    assert visit.run("return document.querySelector('[data-news]').textContent") == "Room 12: Recording."
    assert "Safe on the box: at least 0:01." in rooms.text
    say(archive, monotonic_ns=3 * 10**12, **{**running, "state": "paused"})
    visit.until("document.querySelector('[data-news]').textContent === 'Room 12: Paused: nothing is recorded.'")
    assert visit.run("return document.querySelector('.sign use').getAttribute('href')") == "#shape-paused"
    say(archive, monotonic_ns=4 * 10**12, **running)
    visit.until("document.querySelector('[data-news]').textContent === 'Room 12: Recording.'")
    say(archive, monotonic_ns=5 * 10**12, ready=False, faults=["microphone-missing"], state="idle")
    visit.until("document.querySelector('.sign-at-fault span')?.textContent.startsWith('At fault')")
    assert "Plug the microphone in again" in rooms.text
    assert visit.run("return document.title") == "1 at fault - Rooms · Plain Sight"
    assert visit.run("return window.unchanged") is True
    assert visit.complaints() == []


def refusals() -> int:
    connections.close_all()
    return Entry.objects.filter(code="refusal").count()


@pytest.mark.parametrize("page", ["/rooms/", "/recordings/{}/verification/"])
def test_a_page_that_asks_by_itself_stops_after_one_refusal_and_says_so(
    visit: Visit, served: tuple[Archive, str], tmp_path: Path, page: str
) -> None:
    say(served[0])
    name = f"it.{tmp_path.name}"
    real_user(name)
    made = seal_one(served[0], tmp_path / "spool", seconds=1).id
    ask(Recorded.objects.get(pk=made), ARCHIVE)
    connections.close_all()
    visit.sign_in(page.format(made), name)
    visit.until("document.querySelector('[data-progress], [data-freshness]')")
    before = refusals()
    Grant.objects.filter(user__username=name).delete()
    connections.close_all()
    visit.until("document.body.innerText.includes('an no longer see th')")
    # what it would ask every second or two
    visit.run("window.since = performance.now()")
    visit.until("performance.now() - window.since > 5000")
    assert refusals() == before + 1
    visit.complaints()  # the browser's own, about the refusal
    check_asked(StopSignal())


def test_when_the_archive_does_not_answer_the_rooms_page_says_that_it_is_stale(
    visit: Visit, served: tuple[Archive, str]
) -> None:
    with served[0].serving(workers=1) as address:
        visit.address = address
        visit.sign_in("/rooms/")
        visit.until("document.querySelector('[data-freshness]').innerText.length > 0")
    visit.until("document.querySelector('[data-freshness]').innerText.startsWith('Not up to date')")
    assert visit.run("return document.querySelector('[data-news]').textContent").startswith("Not up to date")
    assert visit.run("return [...document.querySelectorAll('.sign')].map(e => e.className)") == ["sign sign-unknown"]
    assert visit.run("return document.querySelector('.rooms').classList.contains('stale')") is True


def test_the_wall_display_changes_by_itself_and_says_when_it_lost_the_archive(
    visit: Visit, served: tuple[Archive, str]
) -> None:
    say(served[0])
    with served[0].serving(workers=1) as address:
        visit.address = address
        visit.sign_in("/rooms/")
        visit.tab_to("Show this on a wall display")
        visit.press(Key.ENTER)
        visit.until("location.pathname === '/rooms/wall/'")
        frame = "[...document.querySelectorAll('body > header, body > footer')]"
        assert visit.run(f"return {frame}.every((part) => !part.offsetParent)")
        say(served[0], monotonic_ns=2 * 10**12, ready=False, faults=["microphone-missing"], state="idle")
        visit.until("document.title.startsWith('1 at fault - Rooms')")
        assert visit.run("return document.querySelector('.summary').innerText") == "1 at fault"
        connections.close_all()
    visit.until("document.querySelector('[data-freshness]').innerText.startsWith('Not up to date')")
    assert visit.run("return document.querySelector('.rooms').classList.contains('stale')") is True
    assert visit.run("return document.title").startswith("Not up to date")
    assert visit.run("return document.querySelector('[data-news]').textContent").startswith("Not up to date")
    visit.complaints()  # the browser's own, about the archive that is gone
