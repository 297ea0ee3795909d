"""Reads `config.txt` as the Raspberry Pi's firmware does: includes, conditional filters, 98 characters a line.

Source: Raspberry Pi documentation, "config.txt" (file format, conditional filters, GPIO control) and "Device trees,
overlays, and parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.contract.errors import SettingsError

from .models import MODEL_FILTERS, Model

LONGEST: Final = 98
"""The firmware ignores what follows on a line, in characters."""
_DEEPEST: Final = 8
_LARGEST: Final = 256 << 10
Applies = Literal["always", "never", "sometimes"]
_CONDITIONS: Final = {
    "edid": re.compile(r"EDID=.+", re.IGNORECASE),
    "serial": re.compile(r"0x[0-9a-f]+", re.IGNORECASE),
    "gpio": re.compile(r"gpio\d+=[01]", re.IGNORECASE),
    "hdmi": re.compile(r"HDMI:[01]", re.IGNORECASE),
    "tryboot": re.compile(r"tryboot", re.IGNORECASE),
    "partition": re.compile(r"(boot_)?partition=\d+", re.IGNORECASE),
    "board-type": re.compile(r"board-type=0x[0-9a-f]+", re.IGNORECASE),
    "bootvar": re.compile(r"bootvar\d.*", re.IGNORECASE),
}
"""Filters whose answer only the running board knows: filters of one kind replace each other."""


@dataclass(frozen=True)
class Line:
    """One line that is neither empty nor a comment nor a filter."""

    file: str
    number: int
    name: str
    """What stands before `=`."""
    value: str
    """What stands behind it, as far as the firmware reads it."""
    applies: Applies
    """Whether the filters above it let this model see it."""
    filters: str
    """The filters above it, as they stand there; empty for none."""
    cut_off: str = ""
    """What the firmware does not read of it."""
    includes: bool = False
    """Whether another file is read in its place."""

    @property
    def place(self) -> str:
        """Return where it stands, for a person."""
        return f"{self.file} line {self.number}"


@dataclass(frozen=True)
class UnknownFilter:
    """A filter that the firmware does not know: nothing below it is read."""

    file: str
    number: int
    text: str


@dataclass(frozen=True)
class Config:
    """A whole config.txt, for one model."""

    lines: tuple[Line, ...]
    unknown_filters: tuple[UnknownFilter, ...]

    def setting(self, name: str) -> Line | None:
        """Return the line that decides a setting: the last one that this model sees."""
        return next((line for line in reversed(self.lines) if line.name == name and line.applies == "always"), None)


class _Filters:
    """Which filters hold; a new one replaces the one of its kind, and `[all]` clears them."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._holds: dict[str, tuple[str, Applies]] = {}

    def enter(self, text: str) -> bool:
        """Take a filter, without its brackets; return whether the firmware knows it."""
        name = text.strip()
        if name.lower() == "all":
            self._holds.clear()
        elif name.lower() == "none":
            self._holds["none"] = (f"[{name}]", "never")
        elif name.lower() in MODEL_FILTERS:
            self._holds["model"] = (f"[{name}]", "always" if name.lower() in self._model.filters else "never")
        else:
            kind = next((kind for kind, form in _CONDITIONS.items() if form.fullmatch(name)), None)
            self._holds[kind or "unknown"] = (f"[{name}]", "sometimes" if kind else "never")
            return kind is not None
        return True

    @property
    def applies(self) -> Applies:
        found = {applies for _, applies in self._holds.values()}
        return "never" if "never" in found else "sometimes" if "sometimes" in found else "always"

    @property
    def text(self) -> str:
        return " ".join(text for text, _ in self._holds.values())


def read_config(folder: Path, model: Model) -> Config:
    """Return config.txt in `folder` as `model` sees it; raise SettingsError for what cannot be read."""
    filters = _Filters(model)
    unknown: list[UnknownFilter] = []
    lines = tuple(_lines(folder, "config.txt", filters, unknown, depth=0))
    return Config(lines, tuple(unknown))


def read_settings(text: str, name: str, model: Model) -> Config:
    """Return a text of the same form as `model` sees it: the bootloader's settings, which follow no include."""
    filters = _Filters(model)
    unknown: list[UnknownFilter] = []
    return Config(tuple(_parse(text, name, filters, unknown)), tuple(unknown))


def _lines(folder: Path, name: str, filters: _Filters, unknown: list[UnknownFilter], *, depth: int) -> Iterator[Line]:
    for line in _parse(read_text(folder, name), name, filters, unknown):
        yield line
        if line.includes and line.applies != "never":
            if depth == _DEEPEST:
                raise SettingsError(f"{name} line {line.number}: files include each other without end", field="include")
            yield from _lines(folder, line.value, filters, unknown, depth=depth + 1)


def _parse(text: str, name: str, filters: _Filters, unknown: list[UnknownFilter]) -> Iterator[Line]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"\[([^\]]*)\].*", line):
            if not filters.enter(match[1]):
                unknown.append(UnknownFilter(name, number, match[1]))
            continue
        read, cut_off = line[:LONGEST], line[LONGEST:]
        if match := re.fullmatch(r"include\s+(\S+)", read):
            yield Line(name, number, "include", match[1], filters.applies, filters.text, cut_off, includes=True)
            continue
        key, _, value = read.partition("=")
        yield Line(name, number, key.strip(), value.strip(), filters.applies, filters.text, cut_off)


def read_text(folder: Path, name: str) -> str:
    """Return a text file of the boot partition; raise SettingsError if it is none, or lies outside."""
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise SettingsError(f"{name} lies outside of the boot partition; the firmware cannot read it", field=name)
        if path.stat().st_size > _LARGEST:
            raise SettingsError(f"{path} is larger than {_LARGEST >> 10} KiB, so it is no boot file", field=name)
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}; name the mounted boot partition of a card (the one with "
            "config.txt)",
            field=name,
        ) from error
    if b"\0" in data:
        raise SettingsError(f"{path} holds bytes that are no text; the card may be damaged: write it anew", field=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as plain text", field=name
        ) from error
