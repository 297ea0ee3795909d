"""What the fleet says about a run."""

from __future__ import annotations

from typing import Any

from appliance.simulator.fleet.plan import Plan
from appliance.simulator.fleet.recording import RATE
from appliance.simulator.fleet.report import Cost, in_words, report, spread
from appliance.simulator.fleet.share import Found
from appliance.simulator.fleet.watching import Seen

PLAN = Plan(boxes=100, recording=2, minutes=1)
SEEN = Seen(status_age_s=[0.1, 0.2], database_before=1000, database_after=21_000, sealed=2)
COSTS = {
    "web": Cost(36.0, 300_000_000, 120_000_000),
    "worker": Cost(3.6, 50, 50),
    "broker": Cost(6.0, 10, 10),
    "listen": Cost(6.0, 40, 40),
    "fleet": Cost(600.0, 900, 900),
}


def found(**changed: Any) -> Found:
    whole = {
        "begun": 2,
        "frames": 7200 * RATE,
        "received": 2,
        "received_frames": 7200 * RATE,
        "problems": [],
        "to_receipt_s": [1.0, 2.0],
        "behind_s": [5.0],
        "late_s": 0.1,
        "turn_late_s": 0.4,
        "connected": 100,
        "connected_after_s": [0.1, 0.2, 1.5],
        "drained_s": 3600.0,
    }
    return Found.model_validate(whole | changed)


def test_a_meeting_without_its_receipt_is_lost_and_one_that_was_sealed_twice_is_told() -> None:
    assert report(PLAN, [found()], SEEN, COSTS, 60.0)["lost"] == 0
    one = report(PLAN, [found(received=1, received_frames=3600 * RATE)], SEEN, COSTS, 60.0)
    assert (one["lost"], one["lost_s"]) == (1, 3600.0)
    assert report(PLAN, [found()], SEEN.model_copy(update={"sealed": 3}), COSTS, 60.0)["twice"] == 1
    assert report(PLAN, [found(problems=["x"])], SEEN, COSTS, 60.0)["problems"] == ["x"]


def test_a_thousand_rooms_cost_in_proportion_and_the_fleet_itself_is_no_part_of_it() -> None:
    cost = report(PLAN, [found()], SEEN, COSTS, 60.0)["a_thousand_rooms"]
    # 12 s a minute for 100 boxes are two cores for a thousand
    assert cost["status_core_hours_a_day"] == 48.0
    # 39.6 s for two hours of audio
    assert cost["audio_core_hours_a_day"] == 5.5


def test_throughput_growth_and_the_storm_are_counted() -> None:
    told = report(PLAN, [found(), found(begun=0, received=0, frames=0, received_frames=0)], SEEN, COSTS, 60.0)
    assert told["throughput"]["audio_s_a_second"] == 2.0
    assert told["database_kb_an_hour"] == 10.0
    assert told["broker"]["most_in_a_second"] == 4
    assert "lost                0 of 2 recordings" in in_words(told)


def test_the_largest_process_of_a_part_and_how_late_the_machine_was_are_told() -> None:
    told = report(PLAN, [found()], SEEN, COSTS, 60.0)
    assert (told["parts"]["web"]["memory_mb"], told["parts"]["web"]["largest_mb"]) == (300.0, 120.0)
    assert "120.0 in one process" in in_words(told)
    assert told["lag"]["fleet_late_s"] == 0.4


def test_without_a_recording_nothing_is_divided_by_it() -> None:
    nothing = found(begun=0, received=0, frames=0, received_frames=0, to_receipt_s=[], behind_s=[])
    told = report(PLAN, [nothing], SEEN.model_copy(update={"sealed": 0}), COSTS, 60.0)
    assert told["lost"] == 0
    assert told["a_thousand_rooms"]["audio_core_hours_a_day"] is None
    assert in_words(told)


def test_a_spread_names_median_and_greatest() -> None:
    assert spread([]) == {"count": 0}
    assert spread(list(range(100))) == {"count": 100, "p50": 50, "p95": 95, "max": 99}
