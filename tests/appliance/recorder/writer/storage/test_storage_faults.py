"""Promises 1 to 3 on disks that really fail under the whole recorder; seen from outside, by the panel's, the
microphone's and the shim's own logs.

All boxes run at once (tests/support/storage/campaign.py); each test looks at one.
"""

from __future__ import annotations

import pytest

from tests.support.storage import campaign
from tests.support.storage.faults import FAULTS
from tests.support.storage.scenario import ROOM, SHORT, TELL_S, Fault, Lengths, Result, Scene
from tests.support.storage.shim import CannotError

pytestmark = pytest.mark.root


BLIND = Fault(
    "fsync slow, and amber set to come late",
    "shim",
    lambda scene: _order(scene, wait=10.0),
    lambda scene: None,
    "rides",
    lengths=Lengths("[times]\nslow_s = 8.0\nunsafe_s = 14.0\ndrain_s = 3.0\n" + ROOM, 10.0, 2.0, 1.0, 18.0),
)


def _order(scene: Scene, wait: float) -> None:
    assert scene.shim is not None
    scene.shim.order("fsync", 0, skip=1, times=1, wait=wait)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, campaign.Outcome]:
    return campaign.run([BLIND, *FAULTS], SHORT, tmp_path_factory.mktemp("outcomes"))


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_the_lights_tell_within_5_s_and_nothing_acknowledged_is_lost(
    outcomes: dict[str, campaign.Outcome], name: str
) -> None:
    outcome = outcomes[name]
    if isinstance(outcome, CannotError):
        pytest.skip(f"this machine cannot make the fault '{name}': {outcome}")
    assert isinstance(outcome, Result), outcome
    assert outcome.problems == ()
    if outcome.outcome != "refused":
        assert outcome.detection_s <= TELL_S
        assert outcome.acknowledged_s > 0


def test_a_box_that_tells_too_late_is_found_out(outcomes: dict[str, campaign.Outcome]) -> None:
    outcome = outcomes[BLIND.name]
    if isinstance(outcome, CannotError):
        pytest.skip(f"this machine cannot make the fault '{BLIND.name}': {outcome}")
    assert isinstance(outcome, Result), outcome
    assert any("the lights told after" in problem for problem in outcome.problems)
