"""Only a floor that this box signed, of the microphone that is set, is believed; of any other the journal says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.commissioning import Commissioning, Floor
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.contract.times import now
from appliance.recorder.microphone_monitor import bands
from appliance.recorder.settings import load
from appliance.recorder.writer.learned_floor import read_floor
from tests.support.box.writer import RATE, Home

FLOOR = Floor(rms=-6900, bands=[-7500] * len(bands(RATE)))


class Case:
    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.path = folder / "commissioning.tsv"
        self.home.configure(microphone={"rate": RATE, "identity": "0d8c:0014"})

    def write(self, key: SigningKey | None = None, **changes: Any) -> None:
        members = {
            "box": "box-test1234",
            "box_key": self.home.keys.box_signing.public,
            "made_at": now(),
            "microphone": Microphone(device="test", card="", identity="0D8C:0014"),
            "rate": RATE,
            "floor": FLOOR,
            "checked": ["microphone"],
            "software": "test",
            **changes,
        }
        self.path.write_bytes(Commissioning(**members).sign(key or self.home.keys.box_signing))

    def read(self) -> Floor | None:
        return read_floor(load(self.home.config), self.home.keys.box_signing.public)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_record_of_this_box_and_microphone_gives_its_floor(case: Case) -> None:
    case.write()
    assert case.read() == FLOOR


@pytest.mark.parametrize(
    ("write", "word"),
    [
        (lambda _: None, "there is no record"),
        (lambda case: case.path.write_bytes(b"noise\n"), "signed line"),
        (lambda case: case.write(SigningKey.generate()), "signature"),
        (lambda case: case.write(box="box-other123"), "box-other123"),
        (lambda case: case.write(rate=48000), "microphone.rate"),
        (lambda case: case.write(floor=Floor(rms=-6900, bands=[-7500])), "1 bands"),
        (
            lambda case: case.write(microphone=Microphone(device="test", card="", identity="1209:0001")),
            "microphone.identity",
        ),
    ],
)
def test_any_other_record_gives_none_and_a_line_in_the_journal(
    case: Case, write: Callable[[Case], object], word: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(case)
    with caplog.at_level(logging.WARNING):
        assert case.read() is None
    assert word in caplog.text
    assert "muted" in caplog.text
