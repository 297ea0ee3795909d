"""The pins that a box's front panel needs, and how config.txt must leave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PanelPins:
    """BCM numbers by the name of the line (docs/wiring)."""

    outputs: dict[str, int]
    inputs: dict[str, int]

    def required(self) -> dict[str, tuple[int, str]]:
        """Return name: pin and attributes of its `gpio=` line."""
        return {name: (pin, "op,dl") for name, pin in self.outputs.items()} | {
            name: (pin, "ip,pd") for name, pin in self.inputs.items()
        }


SHIPPED: Final = PanelPins(
    outputs={"REC_EN": 23, "STATUS green": 22, "STATUS amber": 17},
    inputs={"BUTTON": 24, "LAMP_SEEN": 25, "MIC_RAIL": 27},
)
"""The pins of docs/wiring, both sense lines included."""
