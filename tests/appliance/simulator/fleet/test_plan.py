"""Which box of a fleet records when."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.errors import SettingsError
from appliance.simulator.fleet.__main__ import parser
from appliance.simulator.fleet.plan import SCENARIOS, SCHOOL_DAYS, Plan, Scenario, length_s, meetings, shares
from appliance.simulator.fleet.running import plan_of

PLANS = st.builds(
    Plan,
    boxes=st.integers(50, 400),
    recording=st.integers(1, 50),
    minutes=st.floats(0.05, 30),
    scenario=st.sampled_from(SCENARIOS),
)


@settings(max_examples=30)
@given(PLANS)
def test_so_many_boxes_record_as_were_asked_for_and_no_meeting_goes_on_after_the_end(plan: Plan) -> None:
    held = [meetings(plan, box) for box in range(plan.boxes)]
    assert sum(1 for one in held if one) == plan.recording
    for meeting in (meeting for one in held for meeting in one):
        assert meeting.length_s >= 1
        assert meeting.backlog or meeting.ends_s <= max(length_s(plan), 1) + 1e-6


def test_in_the_worst_minute_all_meetings_end_at_once_and_on_a_day_one_after_the_other() -> None:
    def ends(scenario: Scenario) -> list[float]:
        plan = Plan(boxes=20, recording=10, minutes=5, scenario=scenario)
        return [meetings(plan, box)[0].ends_s for box in range(10)]

    assert len(set(ends("worst-minute"))) == 1
    assert len(set(ends("day"))) == 10


def test_all_record_at_once_in_the_middle_of_a_day() -> None:
    plan = Plan(boxes=20, recording=10, minutes=5)
    assert all(meetings(plan, box)[0].begins_s <= 150 <= meetings(plan, box)[0].ends_s for box in range(10))


def test_on_monday_a_week_of_meetings_waits_in_each_recording_box() -> None:
    plan = Plan(boxes=20, recording=10, minutes=5, scenario="monday")
    held = meetings(plan, 9)
    assert [one.length_s for one in held] == [60] * SCHOOL_DAYS
    assert all(one.backlog for one in held)
    assert not meetings(plan, 10)


@settings(max_examples=30)
@given(PLANS, st.integers(1, 100), st.integers(1, 20))
def test_each_box_is_in_one_process_and_no_process_has_too_many(plan: Plan, most: int, most_recording: int) -> None:
    dealt = shares(plan, most, most_recording)
    assert sorted(box for one in dealt for box in one) == list(range(plan.boxes))
    assert max(map(len, dealt)) <= most
    assert max(sum(box < plan.recording for box in one) for one in dealt) <= most_recording


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--boxes", "0"], "boxes"),
        (["--boxes", "5", "--recording", "6"], "recording"),
        (["--minutes", "-1"], "minutes"),
        (["--minutes", "nan"], "minutes"),
        (["--probe", "0"], "probe"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_option(arguments: list[str], field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        plan_of(parser().parse_args(arguments))
    assert caught.value.field == field
