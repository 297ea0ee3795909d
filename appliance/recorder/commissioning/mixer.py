"""Finds out whether a mixer can set a sound card's capture level, and how else to change its gain.

It asks the kernel's control device, which gives no sound (linux/include/uapi/sound/asound.h).
"""

from __future__ import annotations

import ctypes
import fcntl
from pathlib import Path
from typing import Final

from appliance.recorder.device_checks import card_number
from appliance.recorder.microphone_monitor import Gain
from appliance.recorder.settings import MicrophoneSettings

DEVICES: Final = Path("/dev/snd")
_MOST: Final = 256
_WORDS: Final = ("capture", "mic", "gain", "adc")
_STEP_DB: Final = 6.0


class _ElementId(ctypes.Structure):
    _fields_ = (
        ("number", ctypes.c_uint),
        ("interface", ctypes.c_int),
        ("device", ctypes.c_uint),
        ("subdevice", ctypes.c_uint),
        ("name", ctypes.c_char * 44),
        ("index", ctypes.c_uint),
    )


class _ElementList(ctypes.Structure):
    _fields_ = (
        ("offset", ctypes.c_uint),
        ("space", ctypes.c_uint),
        ("used", ctypes.c_uint),
        ("count", ctypes.c_uint),
        ("ids", ctypes.POINTER(_ElementId)),
        ("reserved", ctypes.c_ubyte * 50),
    )


_READ_WRITE: Final = 3
_ELEMENT_LIST: Final = _READ_WRITE << 30 | ctypes.sizeof(_ElementList) << 16 | ord("U") << 8 | 0x10


def controls(card: int, devices: Path = DEVICES) -> list[str]:
    """Return the names of a card's controls; empty if it has no control device or this user may not open it."""
    ids = (_ElementId * _MOST)()
    asked = _ElementList(space=_MOST, ids=ctypes.cast(ids, ctypes.POINTER(_ElementId)))
    try:
        with (devices / f"controlC{card}").open("rb", buffering=0) as device:
            fcntl.ioctl(device, _ELEMENT_LIST, asked)
    except OSError:
        return []
    return [ids[number].name.decode("ascii", "replace") for number in range(asked.used)]


def gain_advice(microphone: MicrophoneSettings, devices: Path = DEVICES) -> Gain:
    """Return how to turn this microphone's gain up and down."""
    if microphone.bits == 32:
        now = f"microphone.gain_db (now {microphone.gain_db:g})"
        return Gain(up=f"raise {now}", down=f"lower {now}")
    number = card_number(microphone) if microphone.card else None
    if number is None:
        return Gain()
    if any(word in name.lower() for name in controls(number, devices) for word in _WORDS):
        return Gain(up="raise its capture level with alsamixer", down="lower its capture level with alsamixer")
    return Gain(
        up="the card has no capture level: set microphone.bits = 32 if it gives 24 bits in 32 (docs/commissioning.md), "
        "and raise microphone.gain_db",
        down="the card has no capture level: put the microphone farther away, or use a less sensitive one",
    )
