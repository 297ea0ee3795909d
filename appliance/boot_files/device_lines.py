"""What the `dtoverlay=`, `dtparam=` and `gpio=` lines of a config.txt come to on one model.

An overlay's line opens its scope: parameters that follow are the overlay's if it has them, and the board's otherwise,
until another overlay or an empty `dtoverlay=` ends it (Raspberry Pi documentation, device trees).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from .config_txt import Config, Line
from .device_tree import Overlay
from .models import Model
from .overlay_library import Library

ALIASES: Final = {"i2c": "i2c_arm", "i2c1": "i2c_arm"}
"""Two names of one parameter of the board."""


@dataclass
class LoadedOverlay:
    """One overlay of the config, with its parameters."""

    line: Line
    name: str
    """As it is written."""
    file: str | None
    """The overlay that the firmware loads for it on this model, or None: it loads nothing."""
    about: Overlay | None
    parameters: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


@dataclass
class DeviceLines:
    """Everything about devices."""

    overlays: list[LoadedOverlay] = field(default_factory=list)
    board: dict[str, tuple[str, Line]] = field(default_factory=dict)
    """Parameter of the board: its last value and where that stands."""
    unknown: list[tuple[str, Line]] = field(default_factory=list)
    """Parameters that neither the overlay nor the board has."""
    pins: dict[int, tuple[tuple[str, ...], Line]] = field(default_factory=dict)
    """Pin: the attributes that `gpio=` lines give it, and the last of these lines."""
    malformed: list[Line] = field(default_factory=list)


def read_devices(config: Config, library: Library, board_parameters: frozenset[str], model: Model) -> DeviceLines:
    """Return what the lines that `model` always sees come to; raise SettingsError for an overlay that is damaged."""
    found = DeviceLines()
    scope: LoadedOverlay | None = None
    for line in config.lines:
        if line.applies != "always":
            continue
        if line.name in {"dtoverlay", "device_tree_overlay"}:
            name, *given = re.split(r"[,:]", line.value)
            if not name:
                scope = None
                continue
            file = library.resolve(name, model)
            scope = LoadedOverlay(line, name, file, library.overlay(file) if file else None)
            found.overlays.append(scope)
            for text in given:
                _take_parameter(found, scope, board_parameters, text, line, own=True)
        elif line.name in {"dtparam", "device_tree_param"}:
            for text in line.value.split(","):
                _take_parameter(found, scope, board_parameters, text, line, own=False)
        elif line.name == "gpio":
            _take_pins(found, line)
    return found


def _take_parameter(
    found: DeviceLines, scope: LoadedOverlay | None, board: frozenset[str], text: str, line: Line, *, own: bool
) -> None:
    name, _, value = text.partition("=")
    name = name.strip()
    if not name:
        return
    if scope is not None and scope.about is None and not own:
        # the overlay is not there: nobody knows whose parameter this is
        scope.unknown.append(name)
    elif scope is not None and (own or (scope.about is not None and name in scope.about.parameters)):
        if scope.about is not None and name not in scope.about.parameters:
            scope.unknown.append(name)
        scope.parameters[name] = value.strip()
    elif board and name not in board:
        found.unknown.append((name, line))
    else:
        found.board[ALIASES.get(name, name)] = (value.strip() or "on", line)


def _take_pins(found: DeviceLines, line: Line) -> None:
    match = re.fullmatch(r"([\d,-]+)=([a-z0-9,]+)", line.value.replace(" ", ""))
    if match is None:
        found.malformed.append(line)
        return
    for part in match[1].split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            found.malformed.append(line)
            return
        for pin in range(int(first), int(last or first) + 1):
            before = found.pins[pin][0] if pin in found.pins else ()
            found.pins[pin] = (_overridden(before, tuple(match[2].split(","))), line)


_KINDS: Final = ({"ip", "op", "a0", "a1", "a2", "a3", "a4", "a5", "no"}, {"dh", "dl"}, {"pu", "pd", "pn", "np"})


def _overridden(before: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes of a pin after a line: each replaces the one of its kind."""
    kept = [old for old in before if not any(old in kind and set(given) & kind for kind in _KINDS)]
    return (*kept, *given)
