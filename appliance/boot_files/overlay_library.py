"""The overlays on a boot partition: which there are, on which model, with which parameters, on which pins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.errors import SettingsError

from .device_tree import Overlay, Property, read_overlay, read_tree
from .models import Model

_PARAMETER: Final = re.compile(r" {8}([A-Za-z0-9_+-]+)(?: {2,}(.*))?")
_PIN: Final = re.compile(
    r"\bGPIO (?:pin|to|for|used)\b|\bGPIO\b.* (?:to use|connected)|^GPIO$|IRQ GPIO|^Input pin number"
)
_DEFAULT: Final = re.compile(r'\b[Dd]efault (?:is )?"?(\d+)\b')
_NO_PIN: Final = re.compile(r"pull|func|_ms$|active|invert|speed")


@dataclass(frozen=True)
class PinParameter:
    """A parameter that names a pin."""

    name: str
    default: int | None
    """BCM number if it is not given, or None."""


@dataclass(frozen=True)
class Library:
    """The overlays of one boot partition."""

    folder: Path
    """The folder of overlays."""
    pin_parameters: dict[str, tuple[PinParameter, ...]]
    """Overlay: its parameters that name a pin, as `overlays/README` describes them."""
    base_parameters: frozenset[str]
    """Parameters of the board itself, as that file lists them."""
    names: frozenset[str]
    """Every overlay that there is."""
    _map: dict[str, dict[str, str]]

    @classmethod
    def read(cls, folder: Path) -> Library:
        """Read the folder of overlays; raise SettingsError that names what is missing or damaged."""
        readme = folder / "README"
        try:
            text = readme.read_text(encoding="utf-8", errors="replace")
            names = frozenset(path.stem for path in folder.iterdir() if path.suffix == ".dtbo")
        except OSError as error:
            raise SettingsError(
                f"cannot read {error.filename or folder}: {error.strerror}; name the mounted boot partition of a card "
                "with Raspberry Pi OS, which has its overlays in a folder of that name",
                field="--boot",
            ) from error
        described = parse_readme(text)
        mapped = folder / "overlay_map.dtb"
        return cls(
            folder,
            {name: _pin_parameters(parameters) for name, parameters in described.items()},
            frozenset(described.get("<The base DTB>", {})),
            names,
            _by_node(read_tree(mapped)) if mapped.exists() else {},
        )

    def resolve(self, name: str, model: Model) -> str | None:
        """Return the overlay that the firmware loads as `name` on `model`, or None if there is none for it."""
        entry = self._map.get(name, {})
        if "renamed" in entry:
            return self.resolve(entry["renamed"], model)
        if "deprecated" in entry:
            return None
        if entry and model.platform not in entry:
            return None
        found = entry.get(model.platform) or name
        return found if found in self.names else None

    def overlay(self, name: str) -> Overlay:
        """Return what an overlay that `resolve` found says about itself; raise SettingsError."""
        return read_overlay(self.folder / f"{name}.dtbo")


def parse_readme(text: str) -> dict[str, dict[str, str]]:
    """Return name: parameter: description, from `overlays/README`, whose indentation is made to be read by programs."""
    found: dict[str, dict[str, str]] = {}
    parameters: dict[str, str] = {}
    last = ""
    reading = False
    for line in text.splitlines():
        if line.startswith("Name:"):
            parameters = found.setdefault(line.removeprefix("Name:").strip(), {})
            last, reading = "", False
        elif line.startswith("Params:"):
            reading = True
            line = " " * 8 + line.removeprefix("Params:").strip()  # noqa: PLW2901 - the first stands on this line
        if not reading:
            continue
        if match := _PARAMETER.fullmatch(line):
            last = match[1]
            parameters[last] = match[2] or ""
        elif last and line.startswith(" " * 30):
            parameters[last] += f" {line.strip()}"
    return found


def _pin_parameters(parameters: dict[str, str]) -> tuple[PinParameter, ...]:
    found = []
    for name, description in parameters.items():
        if _PIN.search(description) and not _NO_PIN.search(name):
            default = _DEFAULT.search(description)
            found.append(PinParameter(name, int(default[1]) if default else None))
    return tuple(found)


def _by_node(properties: list[Property]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in properties:
        if one.node not in {"", "/"}:
            found.setdefault(one.node.strip("/"), {})[one.name] = one.texts()[0]
    return found
