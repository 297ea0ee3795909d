"""What people can break on the front panel's page: lights, box and archive tell the truth through each."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests

from appliance.simulator.demo.outside_view import Span, lit_spans, open_spans

from .conftest import Town

pytestmark = pytest.mark.system


def lamp_covered_all(town: Town, since_ns: int) -> bool:
    """Whether every device that was opened since then was open only under a lit lamp, by the logs of both."""
    lit = lit_spans(town.log("panel"))
    heard = [span for span in open_spans(town.log("microphone")) if span.start_ns >= since_ns]
    return bool(heard) and all(any(span.covers(one) for span in lit) for one in heard)


def signed_in(town: Town) -> requests.Session:
    session, url = requests.Session(), town.district.archive_url
    page = session.get(f"{url}/sign-in/", timeout=10)
    form: dict[str, Any] = {"username": "custodian", "password": town.district.password}
    form["csrfmiddlewaretoken"] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[0]
    session.post(page.url, data=form, headers={"Referer": page.url}, timeout=10)
    return session


def test_promise_3_a_killed_recorder_loses_nothing_that_was_acknowledged(town: Town) -> None:
    began_ns = time.monotonic_ns()
    recording = town.begin()
    acked = town.status.acked_frame
    town.panel_asks(do="kill", what="recorder")
    town.wait(lambda: not town.lights()["red"], 5, "the lamp to be put out")
    town.wait_for(state="idle", ready=True)
    assert not town.lights()["red"], "promise 1: the box comes back idle"
    town.wait_until_sealed(recording)
    status, report = town.verified(recording)
    assert (status, report["verdict"]) == (4, "interrupted")
    closing = town.ledger(recording)[-1]
    assert closing["reason"] == "interrupted"
    assert closing["frames"] >= acked
    assert lamp_covered_all(town, began_ns)


def test_a_stopped_archive_does_not_stop_a_meeting(town: Town) -> None:
    recording = town.begin()
    town.panel_asks(do="stop", what="archive")
    before = town.status.acked_frame
    town.wait_for_acked(before / 48000 + 3)
    assert town.lights()["green"] == "on", "promise 2: what is on the box is safe"
    town.end()
    town.wait_for(state="idle")
    town.panel_asks(do="start", what="archive")
    town.wait_until_sealed(recording, 60)
    assert town.verified(recording)[0] == 0


def test_a_stopped_broker_does_not_stop_uploads_and_the_rooms_page_comes_back(town: Town) -> None:
    town.panel_asks(do="stop", what="broker")
    recording = town.begin()
    town.end()
    town.wait_until_sealed(recording)
    town.panel_asks(do="start", what="broker")
    session = signed_in(town)
    town.wait(
        lambda: "ready" in session.get(f"{town.district.archive_url}/", timeout=10).text.lower(),
        60,
        "the rooms page to say ready",
    )
    assert town.verified(recording)[0] == 0


def test_an_unplugged_microphone_is_told_and_leaves_a_gap(town: Town) -> None:
    began_ns = time.monotonic_ns()
    recording = town.begin()
    town.control(microphone="unplug")
    town.wait(town.told_faults, 5, "a fault to be told")
    assert town.lights()["amber"] != "off"
    time.sleep(1)  # the length of the gap
    town.control(microphone="replug")
    town.wait(lambda: not town.told_faults(), 15, "the fault to be gone")
    before = town.status.acked_frame
    town.wait_for_acked(before / 48000 + 3)
    town.end()
    town.wait_until_sealed(recording)
    assert town.verified(recording)[0] == 0
    gaps = [entry for entry in town.ledger(recording) if entry["kind"] == "gap"]
    assert gaps
    assert "unplugged" in {gap["cause"] for gap in gaps}
    assert sum(gap["frames"] for gap in gaps) > 48000
    assert lamp_covered_all(town, began_ns)


def test_loss_that_nobody_reports_becomes_a_gap_of_its_true_length(town: Town) -> None:
    recording = town.begin()
    town.control(lose=14400)
    before = town.status.acked_frame
    town.wait_for_acked(before / 48000 + 4)
    town.end()
    town.wait_until_sealed(recording)
    assert town.verified(recording)[0] == 0
    (gap,) = [entry for entry in town.ledger(recording) if entry["kind"] == "gap"]
    assert gap["cause"] == "unexplained"
    assert abs(gap["frames"] - 14400) < 0.05 * 48000


def test_promise_1_a_lamp_that_fails_closes_the_microphone(town: Town) -> None:
    recording = town.begin()
    town.control(lamp="break")
    broken_ns = time.monotonic_ns()
    town.wait(lambda: all(span.end_ns is not None for span in open_spans(town.log("microphone"))), 3, "it to close")
    last = max(span.end_ns or 0 for span in open_spans(town.log("microphone")))
    assert last - broken_ns < 1_000_000_000
    town.wait(town.told_faults, 3, "a fault to be told")
    town.control(lamp="mend")
    town.wait_for(state="fault", recording=None)
    town.run(town.district.press(0.1))
    town.wait_for(state="recording")
    town.wait(lambda: not town.told_faults(), 5, "a lamp that is lit again to mend the fault")
    town.end()
    town.wait_until_sealed(recording)
    assert town.verified(recording)[0] in {0, 4}


def test_a_pause_is_in_the_ledger_and_not_in_the_audio(town: Town) -> None:
    began_ns = time.monotonic_ns()
    recording = town.begin()
    town.run(town.district.press(0.2))
    town.wait_for(state="paused")
    town.wait(lambda: not town.lights()["red"], 1, "the lamp to be dark in a pause")
    assert town.lights()["green"] == "slow"
    paused_at = town.status.frames
    time.sleep(2)  # the length of the pause
    assert town.status.frames == paused_at
    town.run(town.district.press(0.2))
    town.wait_for(state="recording")
    town.wait_for_acked(paused_at / 48000 + 2)
    town.end()
    town.wait_until_sealed(recording)
    assert town.verified(recording)[0] == 0
    pauses = [entry["paused"] for entry in town.ledger(recording) if entry["kind"] == "pause"]
    assert pauses == [True, False]
    assert not [entry for entry in town.ledger(recording) if entry["kind"] == "gap"]
    assert lamp_covered_all(town, began_ns)


def test_the_outside_view_is_not_blind() -> None:
    assert not Span(10, 20).covers(Span(9, 20))
    assert not Span(10, 20).covers(Span(10, None))
