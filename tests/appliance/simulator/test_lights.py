"""What the lights mean together: always something, and red alone tells whether the room is recorded."""

from __future__ import annotations

from typing import get_args

import pytest

from appliance.contract.status import Light, State
from appliance.simulator.lights import meaning
from appliance.simulator.web import STATES

LIGHTS = get_args(Light)


@pytest.mark.parametrize("green", LIGHTS)
@pytest.mark.parametrize("amber", LIGHTS)
def test_red_alone_tells_whether_the_room_is_recorded(green: Light, amber: Light) -> None:
    assert "room is being recorded" in meaning(True, green, amber)
    assert "Nothing is recorded" in meaning(False, green, amber)


def test_every_state_of_the_recorder_has_words() -> None:
    assert set(STATES) == set(get_args(State))
