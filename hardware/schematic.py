"""The text source of both wiring drawings in docs; `./deploy/dev python hardware/schematic.py` draws them anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import schemdraw
import schemdraw.elements as elm

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"


def lamp_and_supply() -> schemdraw.Drawing:
    """Return the lamp's driver, the interlock and both sense lines, with a microphone on a switched supply."""
    drawing = schemdraw.Drawing(canvas="svg", show=False)
    drawing.config(unit=2.2, fontsize=11)
    # lamp, the optocoupler's light, Q1
    drawing += elm.Vdd().label("5 V")
    drawing += elm.Resistor().down().label("R1 120 Ω")
    drawing += elm.LED().down().label("REC lamp, red", loc="bottom")
    drawing += (light := elm.LED().down().label("U1 (light)", loc="bottom"))
    q1 = elm.NFet().reverse().anchor("drain").theta(0).label("Q1", loc="right", ofst=(0.75, 0))
    drawing += q1
    drawing += elm.Ground().at(q1.source)
    drawing += (gate := elm.Dot().at(q1.gate))
    drawing += elm.Resistor().left().at(gate.center).label("R2 1 kΩ")
    drawing += elm.Tag(width=3.2).left().label("GPIO 23 REC_EN")
    drawing += elm.Resistor().down().at(gate.center).label("R3 10 kΩ", loc="top")
    drawing += elm.Ground()
    # the interlock: only the lamp's current enables the supply
    x, y = light.start.x + 5.0, light.start.y + 2.2
    drawing += elm.Vdd().at((x, y)).label("3.3 V")
    drawing += (transistor := elm.NpnPhoto().at((x, y)).anchor("collector").theta(0).label("U1", loc="right"))
    drawing += (enable := elm.Dot().at(transistor.emitter))
    drawing += elm.Resistor().down().at(enable.center).label("R4 10 kΩ", loc="bottom")
    drawing += elm.Ground()
    drawing += elm.Line().right(1.6).at(enable.center)
    switch = elm.Ic(
        pins=[
            elm.IcPin("EN", side="left"), elm.IcPin("IN", side="top"), elm.IcPin("OUT", side="right"),
            elm.IcPin("GND", side="bottom"),
        ],
        size=(5.2, 2.4),
    ).anchor("EN").label("U2 load switch\nwith discharge", loc="center", fontsize=10)  # fmt: skip
    drawing += switch
    drawing += elm.Vdd().at(switch.IN).label("5 V")
    drawing += elm.Ground().at(switch.GND)
    drawing += elm.Line().right(0.6).at(switch.OUT)
    drawing += (rail := elm.Dot())
    drawing += elm.Tag(width=3.6).right().at(rail.center).label("microphone's supply")
    drawing += elm.Resistor().down().at(rail.center).label("R5 10 kΩ", loc="bottom")
    drawing += (sense := elm.Dot())
    drawing += elm.Tag(width=3.4).right().at(sense.center).label("GPIO 27 MIC_RAIL")
    drawing += elm.Resistor().down().at(sense.center).label("R6 15 kΩ", loc="bottom")
    drawing += elm.Ground()
    # the sensor in the lamp
    x += 16.0
    drawing += elm.Vdd().at((x, y)).label("3.3 V")
    drawing += (eye := elm.NpnPhoto().at((x, y)).anchor("collector").theta(0).label("Q2, in the lamp", loc="right"))
    drawing += (seen := elm.Dot().at(eye.emitter))
    drawing += elm.Tag(width=3.6).right().at(seen.center).label("GPIO 25 LAMP_SEEN")
    drawing += elm.Resistor().down().at(seen.center).label("R7 10 kΩ", loc="bottom")
    drawing += elm.Ground()
    return drawing


def usb_switch() -> schemdraw.Drawing:
    """Return what stands behind the interlock for a USB microphone: its socket's VBUS is switched."""
    drawing = schemdraw.Drawing(canvas="svg", show=False)
    drawing.config(unit=2.2, fontsize=11)
    drawing += elm.Tag(width=3.2).left().label("from U1 and R4")
    drawing += elm.Line().right(1.2)
    switch = elm.Ic(
        pins=[
            elm.IcPin("EN", side="left"), elm.IcPin("IN", side="top"), elm.IcPin("OUT", side="right"),
            elm.IcPin("GND", side="bottom"),
        ],
        size=(5.2, 2.4),
    ).anchor("EN").label("U2 USB switch\n500 mA limit", loc="center", fontsize=10)  # fmt: skip
    drawing += switch
    drawing += elm.Vdd().at(switch.IN).label("VBUS of the Pi")
    drawing += elm.Ground().at(switch.GND)
    drawing += elm.Line().right(1.0).at(switch.OUT)
    drawing += (rail := elm.Dot())
    drawing += elm.Capacitor().down().at(rail.center).label("C1 120 µF", loc="bottom")
    drawing += elm.Ground()
    drawing += elm.Line().right(2.2).at(rail.center)
    drawing += (tap := elm.Dot())
    drawing += elm.Resistor().down().at(tap.center).label("R5 10 kΩ", loc="bottom")
    drawing += (sense := elm.Dot())
    drawing += elm.Tag(width=3.4).right().at(sense.center).label("GPIO 27 MIC_RAIL")
    drawing += elm.Resistor().down().at(sense.center).label("R6 15 kΩ", loc="bottom")
    drawing += elm.Ground()
    drawing += elm.Line().right(1.5).at(tap.center)
    drawing += elm.Tag(width=5.8).right().label("VBUS of the microphone's socket")
    return drawing


DRAWINGS: Final = {
    "wiring.svg": (lamp_and_supply, "Lamp driver, microphone supply and both sense lines"),
    "wiring-usb.svg": (usb_switch, "The supply's switch for a USB microphone"),
}


def render(name: str) -> str:
    """Return a drawing as SVG, with a title for those who cannot see it."""
    make, title = DRAWINGS[name]
    text = make().get_imagedata("svg").decode("utf-8")
    text = re.sub(r"[ \t]+\n", "\n", text)
    left, top, width, height = re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', text).groups()
    ground = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="white"/>'
    return re.sub(r"(<svg[^>]*)>", rf'\1 role="img" aria-label="{title}"><title>{title}</title>{ground}', text, count=1)


if __name__ == "__main__":
    for file in DRAWINGS:
        (DOCS / file).write_text(render(file).rstrip("\n") + "\n", encoding="utf-8")
