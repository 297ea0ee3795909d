"""What can be known without opening anything: the microphone's presence, the clock, the keys (DESIGN, idle checks)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from appliance.contract.errors import PlainSightError
from appliance.contract.keys import SigningKey

from .clock import read_clock
from .settings import MicrophoneSettings, RecorderSettings

_CARD = re.compile(r"^\s*(\d+) \[(\S+)\s*\]", re.MULTILINE)


@dataclass(frozen=True)
class Checked:
    """What the idle checks found."""

    faults: frozenset[str]
    """Amber codes."""
    present: bool
    """Whether the microphone is there, as far as can be told."""


def card_number(microphone: MicrophoneSettings) -> int | None:
    """Return the number of the microphone's ALSA card, or None if it is not there."""
    try:
        cards = (microphone.asound / "cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # a kernel without sound has no such file: then there is no card either
        return None
    return next((int(number) for number, name in _CARD.findall(cards) if name == microphone.card), None)


def card_identity(asound: Path, number: int) -> str:
    """Return a card's USB identity `vendor:product`, or an empty text if it has none."""
    try:
        return (asound / f"card{number}" / "usbid").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def look(settings: RecorderSettings) -> Checked:
    """Make the checks that are made again and again: they read /proc and ask the kernel, and touch no disk."""
    found: set[str] = set()
    microphone = settings.microphone
    present = True
    if microphone.card:
        number = card_number(microphone)
        present = number is not None
        if number is not None and microphone.identity:
            identity = card_identity(microphone.asound, number)
            if identity.lower() != microphone.identity.lower():
                found.add("microphone-wrong")
    if settings.checks.clock and not read_clock().synchronised:
        found.add("clock")
    return Checked(frozenset(found), present)


def keys_fault(settings: RecorderSettings) -> str | None:
    """Return what is wrong with the signing key, or None. It reads a disk: at the start, and in `doctor`."""
    try:
        SigningKey.load(settings.box.signing_key_path())
    except PlainSightError as error:
        return error.message
    return None
