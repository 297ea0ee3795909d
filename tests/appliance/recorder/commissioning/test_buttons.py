"""Commissioning by lights and button alone: a person who has only the printed card gets through it, and what is wrong
is counted by amber and reported without a level or a path."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from appliance.contract import amber_codes
from appliance.contract.commissioning import Part
from appliance.contract.health import HealthReport
from appliance.recorder.commissioning import buttons, service
from appliance.recorder.commissioning.buttons import Buttons
from appliance.recorder.commissioning.command import try_box
from appliance.recorder.commissioning.installer import Cue
from appliance.recorder.commissioning.outcome import REMEDIES
from appliance.recorder.commissioning.panel_loop import PanelLoop
from appliance.recorder.commissioning_record import read_record
from appliance.recorder.supervisor.loop import COMMISSION
from appliance.simulator.fakes import FakePanel
from tests.support.box.commissioning import Site, a_simulator, noise
from tests.support.box.folder import ROOT
from tests.support.box.supervisor import FAKES
from tests.support.waiting import until

ON, OFF = "on", "off"
SERVICE = "appliance.recorder.commissioning.service"


class Cardholder:
    """Follows the printed card: looks at the lights, and presses when they are as it says."""

    def __init__(self, site: Site, *, holds_at: str = "", leaves_at: str = "", speech: float = 600.0) -> None:
        self.site = site
        self._speech = speech
        self.steps: list[str] = []
        self._holds_at, self._leaves_at = holds_at, leaves_at
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="cardholder")

    def __enter__(self) -> Cardholder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def lights(self) -> tuple[str, str, str]:
        panel = self.site.panel
        return panel.last("red"), panel.last("green"), panel.last("amber").split()[0]

    def _follow(self) -> None:
        card = [
            ("red", (ON, OFF, OFF)),
            ("green", (OFF, ON, OFF)),
            ("amber", (OFF, OFF, ON)),
            ("button", (OFF, ON, ON)),
            ("quiet", (OFF, "slow", OFF)),
            ("speech", (OFF, OFF, "slow")),
        ]
        for name, lights in card:
            while self.lights() != lights:
                if self._stop.wait(0.01):
                    return
            self.steps.append(name)
            if name == self._leaves_at:
                return
            if name == "speech":
                self.site.hears(np.clip(noise(10).astype(float) * self._speech / 30, -32768, 32767))
            while self.lights() == lights:
                # a press that came before the box listened is given again, as a person does
                self._press(hold=name == self._holds_at)
                if self._stop.wait(0.7):
                    return

    def _press(self, *, hold: bool) -> None:
        self.site.panel.happen("button-down")
        if hold:
            self._stop.wait(self.site.settings.times.hold_s + 0.2)
        self.site.panel.happen("button-up")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    monkeypatch.setattr(buttons, "_DONE_S", 0.1)
    monkeypatch.setattr(buttons, "_ROUNDS", 0)
    with a_simulator(tmp_path):
        yield Site(tmp_path)


@pytest.fixture
def walks(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Commission as the service does, on the fake panel."""
    monkeypatch.setattr(f"{SERVICE}.make_panel", lambda _: site.panel)
    monkeypatch.setattr(f"{SERVICE}.SigningKey.load", lambda _: site.key)
    monkeypatch.setattr(f"{SERVICE}.Buttons", lambda loop: Buttons(loop, answer_s=2.0))
    return lambda: service.commission_by_buttons(site.settings, module=FAKES.capture, seconds=5.0)


def reported(site: Site) -> HealthReport:
    return HealthReport.model_validate_json((site.settings.box.reports / "commissioning.json").read_bytes())


def test_the_card_alone_leads_through_everything(site: Site, walks: Callable[[], bool]) -> None:
    with Cardholder(site) as person:
        assert walks()
    assert person.steps == ["red", "green", "amber", "button", "quiet", "speech"]
    record = read_record(site.settings)
    assert record.checked == ["red", "lamp-sensor", "green", "amber", "button", "microphone", "speech"]
    assert [one for one in reported(site).findings if one.verdict == "wrong"] == []
    greens = [state for _, light, state in site.panel.history if light == "green"]
    assert greens[-2:] == [ON, OFF], "green at the end says that all is well"


def test_promise_1_red_alone_is_lit_while_it_listens(site: Site, walks: Callable[[], bool]) -> None:
    with Cardholder(site):
        assert walks()
    for opened, closed in zip(site.heard("open"), site.heard("closed"), strict=True):
        before = {light: state for at, light, state in site.panel.history if at <= opened}
        assert (before["red"], before["green"], before["amber"].split()[0]) == (ON, OFF, OFF)
        assert not [light for at, light, _ in site.panel.history if opened < at < closed]


@pytest.mark.parametrize(("part", "code"), [("red", "lamp-dark"), ("green", "panel-lost"), ("amber", "panel-lost")])
def test_holding_the_button_says_no_and_names_the_part(
    site: Site, walks: Callable[[], bool], part: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Cardholder(site, holds_at=part):
        assert walks()
    (finding,) = [one for one in reported(site).findings if one.check.startswith("commissioning")]
    assert (finding.check, finding.verdict) == (f"commissioning {part}", "wrong")
    assert "docs/wiring" in finding.remedy
    assert not site.record.exists()
    assert site.heard("open") == []
    assert [one for one in caplog.messages if one.startswith("the box was not commissioned: ")]
    assert f"slow {amber_codes.find(code).blinks}" in [
        state for _, light, state in site.panel.history if light == "amber"
    ]


def wrong(site: Site) -> tuple[str, str]:
    """The part that failed, and what to do."""
    (finding,) = [one for one in reported(site).findings if one.check.startswith("commissioning")]
    return finding.check.removeprefix("commissioning "), finding.remedy


def counted(site: Site, code: str) -> bool:
    """Whether amber counted as for this code."""
    return f"slow {amber_codes.find(code).blinks}" in [s for _, light, s in site.panel.history if light == "amber"]


def restless() -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.concatenate([noise(1, 30 if second % 2 else 3000) for second in range(10)])


@pytest.mark.parametrize(
    ("sound", "part", "words"),
    [
        (restless(), "quiet", "in a quiet room"),
        (noise(10, 1000.0), "quiet", "lower the microphone's gain"),
        (noise(10, 0.0), "microphone", "cable"),
        (np.clip(noise(10).astype(float) * 3000, -32768, 32767), "clipping", "lower its gain"),
    ],
    ids=["restless", "loud", "dead", "clips"],
)
def test_a_floor_that_cannot_be_learned_has_the_remedy_of_its_cause(
    site: Site, walks: Callable[[], bool], sound: Any, part: str, words: str
) -> None:
    """Nobody reads the journal: a technician would change microphones because of a fan."""
    site.hears(sound)
    with Cardholder(site):
        assert walks()
    assert wrong(site)[0] == part
    assert words in wrong(site)[1]
    assert counted(site, "not-commissioned" if part == "quiet" else "microphone-failed")
    assert not site.record.exists()


@pytest.mark.parametrize(
    ("speech", "part", "words"), [(31.0, "speech", "nearer or raise"), (20000.0, "clipping", "lower its gain")]
)
def test_speech_that_is_too_soft_or_too_loud_has_its_own_remedy(
    site: Site, walks: Callable[[], bool], speech: float, part: str, words: str
) -> None:
    with Cardholder(site, speech=speech):
        assert walks()
    assert wrong(site)[0] == part
    assert words in wrong(site)[1]
    assert counted(site, "microphone-silent")


@pytest.mark.usefixtures("walks")
def test_a_lamp_that_goes_out_while_the_box_listens_is_no_fault_of_the_microphone(site: Site) -> None:
    def fail() -> None:
        until(lambda: bool(site.heard("open")), "listening")
        site.panel.happen("lamp-unseen")

    watcher = threading.Thread(target=fail)
    watcher.start()
    with Cardholder(site):
        # long enough to fail meanwhile: the fake microphone gives sound many times too fast
        assert service.commission_by_buttons(site.settings, module=FAKES.capture, seconds=100.0)
    watcher.join()
    assert wrong(site)[0] == "lamp-sensor"
    assert counted(site, "lamp-dark")


def test_a_record_that_cannot_be_kept_is_no_fault_of_the_microphone(site: Site, walks: Callable[[], bool]) -> None:
    site.record.mkdir()
    with Cardholder(site):
        assert walks()
    part, remedy = wrong(site)
    assert part == "box"
    assert "microphone" not in remedy


@pytest.mark.parametrize("step", ["red", "quiet"])
def test_a_question_that_nobody_answers_ends_it_dark(site: Site, walks: Callable[[], bool], step: str) -> None:
    with Cardholder(site, leaves_at=step):
        assert walks()
    assert [site.panel.last(light) for light in ("red", "green", "amber")] == [OFF, OFF, OFF]
    assert reported(site).findings[0].verdict == "wrong"


def test_promise_7_a_report_holds_no_level_no_path_and_no_name(site: Site, walks: Callable[[], bool]) -> None:
    site.person.speaks = lambda: None
    site.hears(noise(10, 0))
    with Cardholder(site):
        assert walks()
    text = (site.settings.box.reports / "commissioning.json").read_text()
    assert "commissioning" in text
    for secret in ("dB", str(site.folder), "Test", "rms", "floor"):
        assert secret not in text


def test_what_the_pre_flight_finds_is_counted_and_lights_no_lamp(site: Site, walks: Callable[[], bool]) -> None:
    (site.card / "pcm0c" / "sub0").mkdir(parents=True)
    (site.card / "pcm0c" / "sub0" / "status").write_text("state: RUNNING\nowner_pid   : 1\n")
    assert walks()
    assert ON not in [state for _, light, state in site.panel.history if light == "red"]
    checks = {one.check for one in reported(site).findings}
    assert {"commissioning preflight", "dark check"} <= checks


def test_a_report_that_cannot_be_kept_takes_nothing_back(site: Site, walks: Callable[[], bool]) -> None:
    (site.settings.box.reports / "commissioning.json").mkdir()
    with Cardholder(site):
        assert walks()
    assert read_record(site.settings).checked


def test_a_stop_of_the_service_ends_it_without_a_report(site: Site) -> None:
    loop = PanelLoop(FakePanel(), site.settings)
    asker = Buttons(loop, answer_s=5.0)
    loop.ask_to_stop(15)
    outcome = try_box(loop, asker, site.key, seconds=5.0, module=FAKES.capture)
    assert outcome.wrong is not None
    assert outcome.wrong.code == "stopped"


def test_the_recorder_comes_back_and_its_next_press_records(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[bool] = []

    def run(_config: Path, _settings: Any, *, offer_first_press: bool) -> int:
        runs.append(offer_first_press)
        return COMMISSION if len(runs) < 3 else 0

    monkeypatch.setattr(f"{SERVICE}.command.read_arguments", lambda _: (Path("/x"), None))
    monkeypatch.setattr(f"{SERVICE}.command.run", run)
    monkeypatch.setattr(f"{SERVICE}.commission_by_buttons", lambda _: True)
    assert service.main([]) == 0
    # a box that could not be commissioned must not keep a meeting from being recorded
    assert runs == [True, False, False]


def test_every_part_that_can_fail_has_a_remedy() -> None:
    assert set(get_args(Part)) <= set(REMEDIES)
    assert json.dumps([text for _, text in REMEDIES.values()]).isascii()


def test_the_printed_card_has_the_steps_in_their_order() -> None:
    card = (ROOT / "docs" / "commissioning-card.svg").read_text(encoding="utf-8")
    steps = re.findall(r'data-cue="([a-z]+)"', card)
    assert steps == ["start", *[cue for cue in get_args(Cue) if cue != "none"], "well"]
    counts = set(map(int, re.findall(r">(\d)   ", card)))
    assert counts == {amber_codes.find(code).blinks for code, _ in REMEDIES.values()}
