"""Promises 1 to 3 under any schedule; `./deploy/faults --schedules` runs more of the same ones."""

from __future__ import annotations

from hypothesis import settings

from tests.support.schedules.schedule import Schedule

Schedule.TestCase.settings = settings(max_examples=300, stateful_step_count=25, deadline=None, print_blob=True)
TestSchedules = Schedule.TestCase
