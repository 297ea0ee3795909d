"""Promises 1 to 3 under any schedule; `./deploy/faults --schedules` runs more of the same ones."""

from __future__ import annotations

from hypothesis import settings

from tests.support.schedules.schedule import Schedule

Schedule.TestCase.settings = settings(max_examples=300, stateful_step_count=25, deadline=None, print_blob=True)
TestSchedules = Schedule.TestCase


def test_a_recording_that_waited_for_a_capture_process_is_told_until_its_first_block() -> None:
    # found by a campaign: amber went out when the process was ready, before anything was heard
    schedule = Schedule()
    schedule.boot(sensed=True, plugged=True, taps=1)
    schedule.capture_hangs_while_it_warms(hangs=True)
    schedule.everything_is_killed(power=False)
    schedule.capture_hangs_while_it_warms(hangs=False)
    schedule.somebody_presses(ms=12000)
