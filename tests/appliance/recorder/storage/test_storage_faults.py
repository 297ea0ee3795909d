"""Promises 1 to 3 on disks that really fail under the whole recorder; seen from outside, by the panel's, the
microphone's and the shim's own logs.

All boxes run at once (tests/support/storage/town.py); each test judges one.
"""

from __future__ import annotations

import pytest

from tests.support.storage import town
from tests.support.storage.scenario import SHORT, TELL_S, Result
from tests.support.storage.shim import CannotError
from tests.support.storage.table import FAULTS

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, town.Outcome]:
    return town.run(FAULTS, SHORT, tmp_path_factory.mktemp("town"))


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_the_lights_tell_within_5_s_and_nothing_acknowledged_is_lost(
    outcomes: dict[str, town.Outcome], name: str
) -> None:
    outcome = outcomes[name]
    if isinstance(outcome, CannotError):
        pytest.skip(f"this machine cannot make the fault '{name}': {outcome}")
    assert isinstance(outcome, Result), outcome
    assert outcome.problems == ()
    if outcome.outcome != "refused":
        assert outcome.detection_s <= TELL_S
        assert outcome.acknowledged_s > 0
