"""The Raspberry Pi models that a box can be made of, and what the firmware calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Model:
    """One model."""

    name: str
    """What people call it."""
    filters: frozenset[str]
    """Model filters of config.txt that hold on it (Raspberry Pi documentation, conditional filters)."""
    tree: str
    """Its base device tree on the boot partition."""
    platform: str
    """Its name in `overlays/overlay_map.dtb`."""


MODELS: Final[dict[str, Model]] = {
    "pi3": Model("Pi 3", frozenset({"pi3", "pi3+"}), "bcm2710-rpi-3-b-plus.dtb", "bcm2835"),
    "pi4": Model("Pi 4", frozenset({"pi4"}), "bcm2711-rpi-4-b.dtb", "bcm2711"),
    "pi5": Model("Pi 5", frozenset({"pi5"}), "bcm2712-rpi-5-b.dtb", "bcm2712"),
    "zero2": Model("Zero 2 W", frozenset({"pi0", "pi0w", "pi02"}), "bcm2710-rpi-zero-2-w.dtb", "bcm2835"),
}
"""Name on a command line: model. A Pi 3 is taken as a 3B+, which also sees what a 3B sees."""
MODEL_FILTERS: Final = frozenset(
    {"pi0", "pi0w", "pi02", "pi1", "pi2", "pi3", "pi3+", "pi4", "pi400", "pi5", "pi500", "cm0", "cm1", "cm3", "cm3+"}
    | {"cm4", "cm4s", "cm5"}
)
"""Every model filter that the firmware knows."""
