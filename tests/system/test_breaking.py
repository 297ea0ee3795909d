"""What people can break on the front panel's page: lights, box and archive tell the truth through each."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests

from appliance.simulator.demo.outside_view import Span, lit_spans, open_spans
from tests.support.district import RunningDistrict
from tests.support.lateness import Lateness

pytestmark = pytest.mark.system
SECOND = 1_000_000_000


def lamp_covered_all(running: RunningDistrict, since_ns: int) -> bool:
    """Whether every device that was opened since then was open only under a lit lamp, by the logs of both."""
    lit = lit_spans(running.log("panel"))
    heard = [span for span in open_spans(running.log("microphone")) if span.start_ns >= since_ns]
    return bool(heard) and all(any(span.covers(one) for span in lit) for one in heard)


def signed_in(running: RunningDistrict) -> requests.Session:
    session, url = requests.Session(), running.district.archive_url
    page = session.get(f"{url}/sign-in/", timeout=60)
    form: dict[str, Any] = {"username": "custodian", "password": running.district.password}
    form["csrfmiddlewaretoken"] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[0]
    session.post(page.url, data=form, headers={"Referer": page.url}, timeout=60)
    return session


def test_promise_3_a_killed_recorder_loses_nothing_that_was_acknowledged(
    running: RunningDistrict, machine: Lateness
) -> None:
    began_ns = time.monotonic_ns()
    recording = running.begin()
    acked = running.status.acked_frame
    killed_ns = time.monotonic_ns()
    running.panel_asks(do="kill", what="recorder")
    assert machine.taken_ns(killed_ns, running.logged_ns("panel", "red", False, killed_ns)) < 5 * SECOND
    running.wait_for(state="idle", ready=True)
    assert not running.lights()["red"], "promise 1: the box comes back idle"
    running.wait_until_sealed(recording)
    status, report = running.verified(recording)
    assert (status, report["verdict"]) == (4, "interrupted")
    closing = running.ledger(recording)[-1]
    assert closing["reason"] == "interrupted"
    assert closing["frames"] >= acked
    assert lamp_covered_all(running, began_ns)


def test_a_stopped_archive_does_not_stop_a_meeting(running: RunningDistrict) -> None:
    recording = running.begin()
    running.panel_asks(do="stop", what="archive")
    before = running.status.acked_frame
    running.wait_for_acked(before / 48000 + 3)
    assert running.lights()["green"] == "on", "promise 2: what is on the box is safe"
    running.end()
    running.wait_for(state="idle")
    running.panel_asks(do="start", what="archive")
    running.wait_until_sealed(recording)
    assert running.verified(recording)[0] == 0


def test_a_stopped_broker_does_not_stop_uploads_and_the_rooms_page_comes_back(running: RunningDistrict) -> None:
    running.panel_asks(do="stop", what="broker")
    recording = running.begin()
    running.end()
    running.wait_until_sealed(recording)
    running.panel_asks(do="start", what="broker")
    session = signed_in(running)
    running.wait(
        lambda: "ready" in session.get(f"{running.district.archive_url}/", timeout=60).text.lower(),
        "the rooms page to say ready",
    )
    assert running.verified(recording)[0] == 0


def test_an_unplugged_microphone_is_told_and_leaves_a_gap(running: RunningDistrict, machine: Lateness) -> None:
    began_ns = time.monotonic_ns()
    recording = running.begin()
    unplugged_ns = time.monotonic_ns()
    running.control(microphone="unplug")
    running.wait(running.told_faults, "a fault to be told")
    assert machine.taken_ns(unplugged_ns, running.logged_ns("panel", "amber", "slow", unplugged_ns)) < 5 * SECOND
    assert running.lights()["amber"] != "off"
    # a busy box may tell first that it stalls, and look later why
    running.wait(lambda: "microphone-missing" in running.told_faults(), "the microphone to be told missing")
    time.sleep(1)  # the length of the gap
    running.control(microphone="replug")
    running.wait(lambda: not running.told_faults(), "the fault to be gone")
    before = running.status.acked_frame
    running.wait_for_acked(before / 48000 + 3)
    running.end()
    running.wait_until_sealed(recording)
    assert running.verified(recording)[0] == 0
    gaps = gaps_of(running, recording)
    assert gaps
    assert "unplugged" in {gap["cause"] for gap in gaps}
    assert sum(gap["frames"] for gap in gaps) > 48000
    assert lamp_covered_all(running, began_ns)


def gaps_of(running: RunningDistrict, recording: str) -> list[dict[str, Any]]:
    return [entry for entry in running.ledger(recording) if entry["kind"] == "gap"]


def unexcused(machine: Lateness, gaps: list[dict[str, Any]], began_ns: int) -> list[dict[str, Any]]:
    """Gaps that are not told for a machine that was too busy to let the box hear."""
    return [gap for gap in gaps if not machine.starves(gap["cause"], gap["t_ns"], began_ns)]


def test_loss_that_nobody_reports_becomes_a_gap_of_its_true_length(running: RunningDistrict, machine: Lateness) -> None:
    began_ns = time.monotonic_ns()
    recording = running.begin()
    running.control(lose=14400)
    before = running.status.acked_frame
    running.wait_for_acked(before / 48000 + 4)
    running.end()
    running.wait_until_sealed(recording)
    assert running.verified(recording)[0] == 0
    gaps = gaps_of(running, recording)
    unreported = [gap for gap in gaps if gap["cause"] == "unexplained"]
    assert unreported, gaps
    # blocks that a starved process leaves waiting for a second may be told so too; of these, one has the true length
    lost = min(unreported, key=lambda gap: abs(gap["frames"] - 14400))
    assert abs(lost["frames"] - 14400) < 0.05 * 48000, gaps
    assert not unexcused(machine, [gap for gap in gaps if gap is not lost], began_ns), gaps


def test_promise_1_a_lamp_that_fails_closes_the_microphone(running: RunningDistrict, machine: Lateness) -> None:
    recording = running.begin()
    running.control(lamp="break")
    broken_ns = time.monotonic_ns()
    running.wait(lambda: all(span.end_ns is not None for span in open_spans(running.log("microphone"))), "it to close")
    last = max(span.end_ns or 0 for span in open_spans(running.log("microphone")))
    assert machine.taken_ns(broken_ns, last) < SECOND
    running.wait(running.told_faults, "a fault to be told")
    assert machine.taken_ns(broken_ns, running.logged_ns("panel", "amber", "slow", broken_ns)) < 3 * SECOND
    running.control(lamp="mend")
    running.wait_for(state="fault", recording=None)
    running.run(running.district.press(0.1))
    running.wait_for(state="recording")
    running.wait(lambda: not running.told_faults(), "a lamp that is lit again to mend the fault")
    running.end()
    running.wait_until_sealed(recording)
    assert running.verified(recording)[0] in {0, 4}


def test_a_pause_is_in_the_ledger_and_not_in_the_audio(running: RunningDistrict, machine: Lateness) -> None:
    began_ns = time.monotonic_ns()
    recording = running.begin()
    pressed_ns = time.monotonic_ns()
    running.run(running.district.press(0.2))
    running.wait_for(state="paused")
    up_ns = running.logged_ns("panel", "button", "up", pressed_ns)
    assert machine.taken_ns(up_ns, running.logged_ns("panel", "red", False, up_ns)) < SECOND, "dark in a pause"
    assert not running.lights()["red"]
    assert running.lights()["green"] == "slow"
    closed_ns = running.logged_ns("microphone", "device", "closed", pressed_ns)
    # the state is told before the last block is counted; a status of a moment after the microphone's counts all
    running.wait(lambda: running.status.monotonic_ns > closed_ns, "a status after the microphone was closed")
    paused_at = running.status.frames
    time.sleep(2)  # the length of the pause
    assert running.status.frames == paused_at
    running.run(running.district.press(0.2))
    running.wait_for(state="recording")
    running.wait_for_acked(paused_at / 48000 + 2)
    running.end()
    running.wait_until_sealed(recording)
    assert running.verified(recording)[0] == 0
    pauses = [entry["paused"] for entry in running.ledger(recording) if entry["kind"] == "pause"]
    assert pauses == [True, False]
    gaps = gaps_of(running, recording)
    assert not unexcused(machine, gaps, began_ns), gaps
    assert lamp_covered_all(running, began_ns)


def test_the_outside_view_is_not_blind() -> None:
    assert not Span(10, 20).covers(Span(9, 20))
    assert not Span(10, 20).covers(Span(10, None))
