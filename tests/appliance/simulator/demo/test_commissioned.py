"""The demonstration's box knows its microphone's floor, so that its microphone is judged."""

from __future__ import annotations

from appliance.contract.commissioning import Commissioning
from appliance.contract.keys import SigningKey
from appliance.recorder.microphone_monitor import bands
from appliance.simulator.demo.commissioned import commission
from appliance.simulator.microphone.device import IDENTITY, RATE


def test_the_record_is_signed_by_the_box_and_holds_the_simulated_rooms_floor() -> None:
    key = SigningKey.generate()
    record = Commissioning.read(commission("box-demo1234", key), key.public)
    assert (record.microphone.identity, record.rate) == (IDENTITY, RATE)
    assert -6900 <= record.floor.rms <= -6850
    assert len(record.floor.bands) == len(bands(RATE))
