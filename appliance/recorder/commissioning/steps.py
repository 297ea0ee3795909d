"""The installer's tests of each light and the button. No microphone is opened here."""

from __future__ import annotations

from typing import Literal

from appliance.contract.commissioning import Part

from .installer import Installer
from .panel_loop import CommissioningError, PanelLoop

BUTTON_S = 30.0
"""How long to wait for a press, and then for its release, in seconds."""


def try_red(panel_loop: PanelLoop, installer: Installer) -> list[Part]:
    """Switch the red lamp on and off; return the parts that work, or raise CommissioningError.

    Sense lines that are wired must follow the lamp within lamp_s, on and off. The microphone stays closed.
    """
    found: list[Part] = []
    panel_loop.read_sensors()
    panel_loop.require_dark()
    try:
        panel_loop.switch_lamp_on()
        if panel_loop.settings.panel.mic_rail is not None:
            times = panel_loop.settings.times
            if not panel_loop.wait_until(lambda: panel_loop.rail, times.lamp_s):
                raise CommissioningError(
                    "the lamp was switched on but the microphone's supply did not come on; "
                    f"check the supply and its sense line on GPIO {panel_loop.settings.panel.mic_rail} (docs/wiring)",
                    field="rail-sense",
                )
        if installer.present:
            _seen(installer, "red", "REC", panel_loop.settings.panel.red)
            found.append("red")
    finally:
        panel_loop.switch_lamp_off()
    panel_loop.require_dark()
    if panel_loop.panel.lamp_sensed:
        found.append("lamp-sensor")
    if panel_loop.settings.panel.mic_rail is not None:
        found.append("rail-sense")
    return found


def try_lights(panel_loop: PanelLoop, installer: Installer) -> list[Part]:
    """Switch green on, then amber, and ask about each; return both parts, or raise CommissioningError."""
    lights = panel_loop.settings.panel
    panel_loop.panel.set_green("on")
    try:
        _seen(installer, "green", "SAFE", lights.green)
    finally:
        panel_loop.panel.set_green("off")
    panel_loop.panel.set_amber("on")
    try:
        _seen(installer, "amber", "CHECK", lights.amber)
    finally:
        panel_loop.panel.set_amber("off")
    return ["green", "amber"]


def _seen(installer: Installer, color: Literal["red", "green", "amber"], word: str, pin: int) -> None:
    installer.cue(color)
    if not installer.ask(f"Is the {color} light {word}, and no other, lit now?"):
        raise CommissioningError(
            f"the {color} light {word} was switched on but not seen; check the wiring of GPIO {pin} (docs/wiring)",
            field=color,
        )


def try_button(panel_loop: PanelLoop, installer: Installer, seconds: float = BUTTON_S) -> list[Part]:
    """Ask for a press; wait `seconds` for it and as long for its release; raise CommissioningError without them."""
    pin = panel_loop.settings.panel.button
    # counted, since both may come in one `run_once`
    panel_loop.run_once(0)
    presses, releases = panel_loop.presses, panel_loop.releases
    if presses > releases:
        raise CommissioningError(
            f"the button was down before anybody was asked to press it; check the wiring of GPIO {pin} (docs/wiring)",
            field="button",
        )
    installer.cue("button")
    installer.tell(f"Press the button and release it within {seconds:g} s.")
    if not panel_loop.wait_until(lambda: panel_loop.presses > presses, seconds):
        raise _not_seen("pressed", seconds, pin)
    if not panel_loop.wait_until(lambda: panel_loop.releases > releases, seconds):
        raise _not_seen("released", seconds, pin)
    installer.cue("none")
    return ["button"]


def _not_seen(what: str, seconds: float, pin: int) -> CommissioningError:
    return CommissioningError(
        f"nobody {what} the button within {seconds:g} s; if somebody did, check the wiring of GPIO {pin} (docs/wiring)",
        field="button",
    )
