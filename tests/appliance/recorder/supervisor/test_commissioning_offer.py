"""When the button begins a commissioning: the first press of a box without a record, or one held while it boots."""

from __future__ import annotations

import pytest

from appliance.recorder.panel.base import PanelEvent, PanelEventKind
from appliance.recorder.supervisor.commissioning_offer import BOOT_NS, HOLD_NS, CommissioningOffer

SECOND = 1_000_000_000


def event(kind: PanelEventKind, at_s: float = 10.0) -> PanelEvent:
    return PanelEvent(kind, int(at_s * SECOND))


def test_the_first_press_of_a_box_without_a_record_begins_it() -> None:
    assert CommissioningOffer(first_press=True).is_taken(event("button-down"), "idle")
    assert CommissioningOffer(first_press=True).is_taken(event("button-down"), "fault")


def test_a_press_on_a_commissioned_box_records() -> None:
    assert not CommissioningOffer(first_press=False).is_taken(event("button-down"), "idle")


@pytest.mark.parametrize("phase", ["arming", "recording", "paused", "ending"])
def test_a_press_in_a_meeting_never_begins_it(phase: str) -> None:
    assert not CommissioningOffer(first_press=True).is_taken(event("button-down"), phase)


def test_a_button_that_is_held_while_the_box_boots_begins_it_on_any_box() -> None:
    offer = CommissioningOffer(first_press=False)
    assert not offer.is_taken(event("button-found-down"), "self-test")
    assert not offer.is_held(10 * SECOND + HOLD_NS - 1, "idle")
    assert offer.is_held(10 * SECOND + HOLD_NS, "idle")
    assert not offer.is_held(10 * SECOND + HOLD_NS, "recording")


def test_letting_go_in_time_begins_nothing() -> None:
    offer = CommissioningOffer(first_press=False)
    offer.is_taken(event("button-found-down"), "idle")
    offer.is_taken(event("button-up", 11), "idle")
    assert not offer.is_held(100 * SECOND, "idle")


def test_a_button_that_is_stuck_later_begins_nothing() -> None:
    offer = CommissioningOffer(first_press=True)
    assert not offer.is_taken(event("button-found-down", BOOT_NS / SECOND), "idle")
    assert not offer.is_held(BOOT_NS + HOLD_NS, "idle")


@pytest.mark.parametrize("kind", ["lamp-seen", "lamp-unseen", "rail-on", "rail-off", "button-up", "panel-lost"])
def test_nothing_but_the_button_begins_it(kind: PanelEventKind) -> None:
    offer = CommissioningOffer(first_press=True)
    assert not offer.is_taken(event(kind), "idle")
    assert not offer.is_held(100 * SECOND, "idle")
