"""The front panel's circuit over tolerances and faults (hardware/panel.cir): lamp and microphone go together, a pin
sees what it must, and none sees more than it bears. Computed, not built."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .simulation import EXTREMES, FAULTS, NETLIST, NOMINAL, Board, Drive, Reading, corners, simulate

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed (deploy/test installs it)"
)
HIGH_V, LOW_V = 2.0, 0.8
"""Thresholds of a pin of the Pi (BCM2835 and RP1 at 3.3 V), in volts."""
ENABLED_V, DISABLED_V = 2.0, 0.4
"""Thresholds of U2's enable over the usual load and USB switches, the stricter end each, in volts."""
MOST_PIN_V = 3.3
"""What a pin bears for ever whatever the Pi's own supply is, in volts."""
LEAST_LAMP_A, MOST_LAMP_A = 0.008, 0.025
"""The lamp is seen across a room; a bright LED and the optocoupler bear it for ever, in amperes."""
MOST_OPTO_A = 0.050
"""Absolute maximum of the optocoupler's light, in amperes."""
DARK_A = 0.0001


def readings(tmp_path: Path, drive: Drive, fault: str, every: int = 1) -> list[Reading]:
    return simulate(corners(drive, fault)[::every], tmp_path)


def supplied(one: Reading) -> bool:
    return one.rail > 1.0


def test_lit_and_supplied_at_every_corner(tmp_path: Path) -> None:
    for one in readings(tmp_path, "high", "none"):
        assert LEAST_LAMP_A <= one.ilamp <= MOST_LAMP_A
        assert one.en >= ENABLED_V
        assert supplied(one)
        assert one.seen >= HIGH_V
        assert HIGH_V <= one.sense <= MOST_PIN_V


@pytest.mark.parametrize("drive", ["low", "floating"])
def test_promise_1_dark_and_without_supply_at_every_corner(tmp_path: Path, drive: Drive) -> None:
    # floating, and pulled to the wrong side: a Pi that boots, has crashed or is being flashed
    for one in readings(tmp_path, drive, "none"):
        assert one.ilamp <= DARK_A
        assert one.en <= DISABLED_V
        assert not supplied(one)
        assert one.seen <= LOW_V
        assert one.sense <= LOW_V


@pytest.mark.parametrize("fault", ["lamp open", "optocoupler open"])
def test_promise_1_without_the_lamps_current_there_is_no_supply(tmp_path: Path, fault: str) -> None:
    for one in readings(tmp_path, "high", fault, every=8):
        assert one.en <= DISABLED_V
        assert not supplied(one)
        # and the recorder sees it: lamp-dark
        assert one.seen <= LOW_V
        assert one.sense <= LOW_V


def test_a_shorted_lamp_is_seen_to_be_dark_and_burns_nothing(tmp_path: Path) -> None:
    # the one fault that supplies the microphone over a dark lamp: LAMP_SEEN tells it, and nothing else does
    for one in readings(tmp_path, "high", "lamp shorted", every=8):
        assert supplied(one)
        assert one.seen <= LOW_V
        assert one.ilamp <= MOST_OPTO_A


@pytest.mark.parametrize("fault", ["Q1 shorted", "U1 shorted", "U2 shorted"])
def test_what_is_on_although_it_is_switched_off_is_sensed(tmp_path: Path, fault: str) -> None:
    for one in readings(tmp_path, "low", fault, every=8):
        assert supplied(one)
        assert HIGH_V <= one.sense <= MOST_PIN_V, "rail-live"
        if fault == "Q1 shorted":
            assert one.seen >= HIGH_V, "lamp-stuck"


@pytest.mark.parametrize(("fault", "drive"), [("Q2 open", "high"), ("Q2 shorted", "low")])
def test_a_broken_sensor_says_the_wrong_thing_and_is_told_by_that(tmp_path: Path, fault: str, drive: Drive) -> None:
    for one in readings(tmp_path, drive, fault, every=8):
        assert (one.seen <= LOW_V) if fault == "Q2 open" else (one.seen >= HIGH_V)


def test_without_its_pull_down_a_floating_pin_lights_the_lamp_for_all_to_see(tmp_path: Path) -> None:
    # R3 is the fail-safe, and this shows that the simulation would tell if it were left out
    for one in readings(tmp_path, "floating", "R3 open", every=8):
        assert one.ilamp >= LEAST_LAMP_A
        assert supplied(one)


def test_the_simulation_can_say_no(tmp_path: Path) -> None:
    # the divider that docs/wiring once named: 5 V of a strong supply are more than a pin bears
    strong = {name: ends[1] for name, ends in EXTREMES.items()} | {"r5": 9500.0, "r6": 18900.0}
    (one,) = simulate([Board("high", tuple(strong.items()))], tmp_path)
    assert one.sense > MOST_PIN_V


def wiring() -> str:
    return (ROOT / "docs" / "wiring.md").read_text(encoding="utf-8")


def test_circuit_and_wiring_page_have_the_same_parts() -> None:
    text = NETLIST.read_text(encoding="ascii")
    for name, ohms in NOMINAL.items():
        given = re.search(rf"\b{name}=(\d+)(k?)", text)
        assert given is not None
        assert float(given[1]) * (1000 if given[2] else 1) == ohms
        words = f"{ohms / 1000:g} kΩ" if ohms >= 1000 else f"{ohms:g} Ω"
        assert re.search(rf"\| {name.upper()} \| {words}", wiring()), (
            f"the bill of materials has no {name.upper()} {words}"
        )


def test_every_fault_of_the_wiring_pages_table_that_is_a_part_is_simulated() -> None:
    assert {"lamp open", "lamp shorted", "Q1 shorted", "U1 shorted", "U2 shorted", "Q2 open", "Q2 shorted"} <= set(
        FAULTS
    )
    assert "not built" in wiring()
