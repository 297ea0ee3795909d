"""The walk through a new box, with a fake panel and a fake microphone: what is tried, in which order, and what a
failure leaves behind: a dark lamp, a closed microphone and the old record (promise 1)."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.contract.health import Finding, HealthReport
from appliance.recorder.commissioning import listening, steps
from appliance.recorder.commissioning.record import keep_record
from appliance.recorder.commissioning_record import read_record
from appliance.recorder.health_file import keep_report
from appliance.simulator.fakes import FakePanel
from tests.support.box.commissioning import Site, a_record, a_simulator, noise
from tests.support.waiting import until


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    with a_simulator(tmp_path):
        yield Site(tmp_path)


def test_everything_is_tried_in_its_order_and_signed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.commission() == 0
    record = read_record(site.settings)
    assert record.checked == ["red", "lamp-sensor", "green", "amber", "button", "microphone", "speech"]
    assert (record.microphone.card, record.microphone.identity) == ("Test", "0d8c:0014")
    assert -6300 < record.floor.rms < -5900
    assert site.record.stat().st_mode & 0o777 == 0o644
    result = json.loads(capsys.readouterr().out)
    assert result["ok"]
    assert result["record"] == record.model_dump(mode="json")
    assert result["untried"] == []
    # promise 1: open only while lit
    lit = [at_ns for at_ns, light, state in site.panel.history if (light, state) == ("red", "on")][-1]
    assert lit < site.heard("open")[-1] < site.heard("closed")[-1] < site.dark_ns()
    assert len(site.heard("open")) == len(site.heard("closed")) == 2, "once in the quiet room, once for speech"
    assert site.panel.last("red") == "off"


def test_with_nobody_there_the_record_says_what_was_not_tried(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.person.present = False
    assert site.commission() == 0
    assert read_record(site.settings).checked == ["lamp-sensor", "microphone"]
    assert json.loads(capsys.readouterr().out)["untried"] == ["red", "green", "amber", "button", "speech"]


def test_the_microphones_supply_must_follow_the_lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    with a_simulator(tmp_path):
        panel = FakePanel(rail_sensed=True)
        site = Site(tmp_path, panel, panel={"mic_rail": 27})
        assert site.commission() == 0
        assert read_record(site.settings).checked[:3] == ["red", "lamp-sensor", "rail-sense"]
        panel.rail_broken = True
        panel.happen("rail-off")
        assert site.commission() == 1


def failed(site: Site, capsys: pytest.CaptureFixture[str], field: str | None, seconds: float = 5.0) -> str:
    """Commission, expect it to fail at `field` with nothing changed, and return its words."""
    keep_record(site.record, a_record(site.settings, site.key), site.key)
    before = site.record.read_bytes()
    assert site.commission(seconds) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert told["error"]["field"] == field, told["error"]
    assert site.record.read_bytes() == before
    assert site.panel.last("red") == "off"
    assert site.panel.last("green") == "off"
    assert sorted(path.name for path in site.folder.glob(".comm*")) == []
    message: str = told["error"]["message"]
    return message


def test_a_lamp_that_is_not_seen_opens_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.panel.lamp_broken = True
    assert "lamp-dark" in failed(site, capsys, "lamp-sensor")
    assert not (site.folder / "capture.log").exists()


@pytest.mark.parametrize("color", ["red", "green", "amber"])
def test_a_light_that_the_installer_does_not_see_ends_it(
    site: Site, capsys: pytest.CaptureFixture[str], color: str
) -> None:
    site.person.misses = color
    assert "docs/wiring" in failed(site, capsys, color)
    assert not (site.folder / "capture.log").exists()


def test_a_button_that_does_nothing_ends_it(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.person.presses = False
    monkeypatch.setattr(steps.try_button, "__defaults__", (0.05,))
    assert "GPIO 24" in failed(site, capsys, "button")


def test_a_room_that_is_not_quiet_teaches_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    steps_in_it = np.concatenate([noise(1, 30 if second % 2 else 3000) for second in range(10)])
    site.hears(steps_in_it)
    assert "not quiet" in failed(site, capsys, "quiet")
    assert site.heard("closed")


def test_a_dead_microphone_is_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.hears(noise(2, 0))
    assert "gives nothing" in failed(site, capsys, "microphone")


def test_a_microphone_that_cannot_be_opened_is_told_and_its_process_is_gone(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "APPEAR_S", 0.1)
    (site.folder / "refuse").touch()
    assert "busy" in failed(site, capsys, "microphone")


def test_a_microphone_that_comes_up_after_the_lamp_is_waited_for(site: Site) -> None:
    (site.folder / "refuse").touch()

    def come_up() -> None:
        until(lambda: bool(site.heard("open")), "refused")
        (site.folder / "refuse").unlink()

    threading.Thread(target=come_up).start()
    assert site.commission() == 0
    assert len(site.heard("open")) >= 2


def test_promise_1_a_microphone_that_somebody_holds_open_lights_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (site.card / "pcm0c" / "sub0").mkdir(parents=True)
    (site.card / "pcm0c" / "sub0" / "status").write_text("state: RUNNING\nowner_pid   : 1\n")
    failed(site, capsys, "preflight")
    assert "on" not in [state for _, light, state in site.panel.history if light == "red"]
    assert any("microphone-open" in text for text in site.person.said)


def test_promise_1_a_lamp_that_fails_while_it_listens_closes_the_microphone(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        until(lambda: bool(site.heard("open")), "listening")
        site.panel.happen("lamp-unseen")

    threading.Thread(target=fail).start()
    assert "while the box listened" in failed(site, capsys, "lamp-sensor", seconds=100)
    assert site.heard("closed")[0] < site.dark_ns()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_promise_1_a_signal_closes_the_microphone_then_darkens_the_lamp_and_writes_nothing(
    site: Site, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    def stop() -> None:
        until(lambda: bool(site.heard("open")), "listening")
        os.kill(os.getpid(), number)

    threading.Thread(target=stop).start()
    assert site.commission(seconds=100) == 128 + number
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "stopped"
    assert site.heard("closed")[0] < site.dark_ns()
    assert not site.record.exists()


def test_promise_1_the_lamp_stays_lit_until_a_capture_process_that_hangs_is_dead(site: Site) -> None:
    (site.folder / "hang-on-close").touch()
    times = site.settings.times.model_copy(update={"close_s": 0.15})
    site.settings = site.settings.model_copy(update={"times": times})
    assert site.commission() == 0
    assert site.heard("closed") == [], "it was killed"
    assert site.panel.last("red") == "off"


@pytest.mark.parametrize(
    ("loudness", "words"), [(31.0, "nobody was heard"), (45.0, "nobody was heard"), (20000.0, "cut off at the top")]
)
def test_speech_that_is_not_heard_as_it_must_be_ends_it_with_a_remedy(
    site: Site, loudness: float, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.person.speaks = lambda: site.hears(np.clip(noise(10).astype(float) * loudness / 30, -32768, 32767))
    assert site.commission() == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert words in error["message"]
    assert not site.record.exists()
    assert site.panel.last("red") == "off"


def reported(site: Site) -> list[Finding]:
    report = HealthReport.model_validate_json((site.settings.box.reports / "commissioning.json").read_bytes())
    return [finding for finding in report.findings if finding.verdict == "wrong"]


def test_a_good_walk_at_a_terminal_takes_back_what_an_earlier_one_found(site: Site) -> None:
    """It is the remedy that the archive's page of rooms names; a report that stood would be wrong for ever."""
    old = Finding(check="commissioning red", verdict="wrong", remedy="Check the red lamp.")
    keep_report(site.settings, "commissioning", [old])
    assert site.commission() == 0
    assert reported(site) == []


def test_a_walk_at_a_terminal_that_fails_is_reported_and_one_that_is_stopped_is_not(site: Site) -> None:
    site.person.misses = "green"
    assert site.commission() == 1
    before = reported(site)
    assert [finding.check for finding in before] == ["commissioning green"]
    site.person.misses = ""

    def stop() -> None:
        until(lambda: bool(site.heard("open")), "listening")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    assert site.commission(seconds=100) == 128 + signal.SIGINT
    assert reported(site) == before
