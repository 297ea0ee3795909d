"""Reads flattened device trees (Devicetree Specification 0.4, chapter 5) as far as boot files need it.

Overlays say in themselves what they need: `__overrides__` names their parameters, `__fixups__` the parts of the board
that they reach for, `brcm,pins` (up to the Pi 4) and `pins` (Pi 5) the pins that they take.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.errors import FormatError, SettingsError

_MAGIC: Final = 0xD00DFEED
_BEGIN_NODE, _END_NODE, _PROPERTY, _NOP, _END = 1, 2, 3, 4, 9
_MOST_BYTES: Final = 4 << 20


@dataclass(frozen=True)
class Property:
    """One property."""

    node: str
    """Path of its node, such as `/__overrides__`."""
    name: str
    value: bytes

    def texts(self) -> list[str]:
        """Return the value as a list of strings."""
        return [part.decode("ascii", "replace") for part in self.value.rstrip(b"\0").split(b"\0")]

    def cells(self) -> list[int]:
        """Return the value as a list of 32-bit numbers."""
        return [int(number) for (number,) in struct.iter_unpack(">I", self.value[: len(self.value) // 4 * 4])]


@dataclass(frozen=True)
class Overlay:
    """What an overlay, or a base tree, says about itself."""

    parameters: frozenset[str]
    labels: frozenset[str]
    """Parts of the board that it reaches for."""
    pins: frozenset[int]
    """BCM numbers of pins that it takes whatever its parameters are."""


def read_tree(path: Path) -> list[Property]:
    """Return every property of a tree; raise SettingsError that names the file if it cannot be read or is none."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
        return list(_properties(data))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}", field=path.name) from error
    except (FormatError, struct.error, ValueError, IndexError) as error:
        raise SettingsError(
            f"{path} is no device tree ({error}); write the card anew, or copy the file from another card of the same "
            "system",
            field=path.name,
        ) from error


def _properties(data: bytes) -> Iterator[Property]:
    magic, size, structure, strings = struct.unpack_from(">4I", data)
    if magic != _MAGIC or size > len(data):
        raise FormatError("it does not begin as one, or is cut off")
    at, path = structure, list[str]()
    while True:
        (token,) = struct.unpack_from(">I", data, at)
        at += 4
        if token == _BEGIN_NODE:
            end = data.index(b"\0", at)
            path.append(data[at:end].decode("ascii", "replace"))
            at = _aligned(end + 1)
        elif token == _END_NODE:
            path.pop()
        elif token == _PROPERTY:
            length, name = struct.unpack_from(">2I", data, at)
            at += 8
            begin = strings + name
            if at + length > len(data):
                raise FormatError("a value reaches beyond its end")
            text = data[begin : data.index(b"\0", begin)].decode("ascii", "replace")
            yield Property("/".join(path) or "/", text, data[at : at + length])
            at = _aligned(at + length)
        elif token == _END:
            return
        elif token != _NOP:
            raise FormatError(f"unknown token {token}")


def _aligned(place: int) -> int:
    return (place + 3) & ~3


def read_overlay(path: Path) -> Overlay:
    """Return what the overlay or base tree in `path` says about itself; raise SettingsError."""
    found = read_tree(path)
    pins = {cell for one in found if one.name == "brcm,pins" for cell in one.cells()}
    for one in found:
        if one.name == "pins":
            pins |= {int(match[1]) for text in one.texts() if (match := re.fullmatch(r"gpio(\d+)", text))}
    return Overlay(
        frozenset(one.name for one in found if one.node == "/__overrides__"),
        frozenset(one.name for one in found if one.node == "/__fixups__"),
        frozenset(pins),
    )
