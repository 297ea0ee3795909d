"""The drawings of the wiring page are what their text source draws."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from .simulation import NOMINAL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def schematic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schematic", ROOT / "hardware" / "schematic.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(svg: str) -> tuple[set[str], int]:
    """Return the words of a drawing, and how many shapes it has; another version of schemdraw may round otherwise."""
    words = {text.strip() for text in re.findall(r">([^<>]+)</(?:tspan|text)>", svg)}
    return words, len(re.findall(r"<(?:path|circle|ellipse|polygon|polyline|line)\b", svg))


@pytest.mark.parametrize("name", ["wiring.svg", "wiring-usb.svg"])
def test_the_drawing_is_the_one_of_its_source(schematic: ModuleType, name: str) -> None:
    shipped = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert drawn(shipped) == drawn(schematic.render(name)), "run ./deploy/dev python hardware/schematic.py"
    assert name in (ROOT / "docs" / "wiring.md").read_text(encoding="utf-8")


def test_it_shows_every_part_of_the_simulated_circuit(schematic: ModuleType) -> None:
    words, _ = drawn(schematic.render("wiring.svg"))
    for name, ohms in NOMINAL.items():
        value = f"{ohms / 1000:g} kΩ" if ohms >= 1000 else f"{ohms:g} Ω"
        assert f"{name.upper()} {value}" in words
    assert {"GPIO 23 REC_EN", "GPIO 25 LAMP_SEEN", "GPIO 27 MIC_RAIL"} <= words
