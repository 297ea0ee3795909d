"""What can be known without opening anything: the microphone's presence, the clock, the keys (docs/architecture.md)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.commissioning import Commissioning
from appliance.contract.errors import DeviceError, PlainSightError
from appliance.contract.kernel_clock import read_clock
from appliance.contract.keys import SigningKey

from . import resources
from .settings import MicrophoneSettings, RecorderSettings

_CARD = re.compile(r"^\s*(\d+) \[(\S+)\s*\]", re.MULTILINE)
_NUMBER = re.compile(r"card(\d+)")
CAPTURE_NAME: Final = "ps-capture"
"""What the capture process is called in lists of processes."""
CLOSES_S: Final = 1.0
"""So long a process that is about to end may take to close its microphone, in seconds."""
_OWNER = re.compile(r"^owner_pid\s*:\s*(\d+)$", re.MULTILINE)
"""A line of a substream's status (the kernel's sound/core/pcm.c): the thread that opened it."""
_PROCESS = re.compile(r"^Tgid:\s*(\d+)$", re.MULTILINE)
"""A line of a thread's status (proc_pid_status(5)): its process."""


@dataclass(frozen=True)
class DeviceChecks:
    """What the idle checks found."""

    faults: frozenset[str]
    """Amber codes."""
    present: bool
    """Whether the microphone is there, as far as can be told."""
    held: bool = False
    """Whether some program, perhaps our own, has the microphone open."""


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


def listening_cards(asound: Path) -> list[int]:
    """Return the numbers of the cards that have a capture device, open or not."""
    found = (_NUMBER.fullmatch(path.parent.name) for path in asound.glob("card[0-9]*/pcm*c"))
    return sorted({int(match[1]) for match in found if match})


def is_held(asound: Path, number: int) -> bool:
    """Tell whether anybody has a capture device of the card open; the kernel's word, which opens nothing."""
    return any(True for _ in _open_devices(asound / f"card{number}"))


def require_closed(microphone: MicrophoneSettings, proc: Path = Path("/proc"), patience_s: float = CLOSES_S) -> None:
    """Raise DeviceError while a capture process of an earlier run has a microphone open: its lamp is not to be touched.

    It may be on its way out, and gets `patience_s` for that.
    """
    patient_until = time.monotonic() + patience_s
    while (pid := left_open(microphone.asound, proc)) is not None:
        if time.monotonic() >= patient_until:
            raise DeviceError(
                f"the capture process {pid} of an earlier run still has the microphone open, and the lamp stays as it "
                "is; unplug the microphone, or switch the box off and on",
                field="microphone",
            )
        time.sleep(0.02)


def left_open(asound: Path, proc: Path = Path("/proc")) -> int | None:
    """Return the process of ours, of an earlier run, that has a capture device of any card open, or None.

    The kernel may hold a killed process whose device hangs; until it lets go, the device is open. Whatever card the
    settings name: a box whose lamp switches the microphone's supply names none.
    """
    for card in sorted(asound.glob("card[0-9]*")):
        for text in _open_devices(card):
            owner = _OWNER.search(text)
            if owner and _may_be_ours(proc, int(owner[1])):
                return int(owner[1])
    return None


def _may_be_ours(proc: Path, owner: int) -> bool:
    """Tell whether the thread that opened a device may be of a capture process; nobody's device counts as ours.

    The thread may be gone while another one of its process hangs in the driver, and the unit's ProtectProc= hides a
    process that keeps its memory from tracing. Only a program that can be seen, and is another one, is not ours: amber
    tells of it.
    """
    try:
        process = _PROCESS.search((proc / str(owner) / "status").read_text(encoding="ascii", errors="replace"))
        name = (proc / process[1] / "comm").read_text(encoding="ascii", errors="replace") if process else CAPTURE_NAME
    except OSError:
        return True
    return name.strip() == CAPTURE_NAME


def _open_devices(card: Path) -> Iterator[str]:
    """Return what the kernel says of each capture device of the card that is open."""
    for status in card.glob("pcm*c/sub*/status"):
        try:
            text = status.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            # it went away with its card
            continue
        if text not in ("closed", ""):
            yield text


def wrong_microphone(microphone: MicrophoneSettings, number: int, record: Commissioning | None) -> str | None:
    """Return how card `number` differs from the microphone that it must be, or None.

    The identity in the settings goes first; without one, that of the record of commissioning holds.
    """
    identity = card_identity(microphone.asound, number)
    expected: str | None = microphone.identity or None
    if expected is None and record is not None and record.microphone.card:
        if record.microphone.card != microphone.card:
            return f"card {microphone.card!r} is set, and {record.microphone.card!r} was commissioned"
        expected = record.microphone.identity
    if expected is None or identity.lower() == expected.lower():
        return None
    return (
        f"card {microphone.card!r} is {identity or 'no USB device'}, not {expected or 'the one without USB identity'}"
    )


def look(settings: RecorderSettings, record: Commissioning | None = None) -> DeviceChecks:
    """Make the checks that are made again and again: they read /proc and ask the kernel, and touch no disk."""
    found: set[str] = set()
    microphone = settings.microphone
    present, held = True, False
    if microphone.card:
        number = card_number(microphone)
        present = number is not None
        if number is not None:
            held = is_held(microphone.asound, number)
            if wrong_microphone(microphone, number, record):
                found.add("microphone-wrong")
    for code, fault in ((resources.MEMORY, resources.memory_fault()), (resources.HANDLES, resources.handles_fault())):
        if fault:
            found.add(code)
    if settings.checks.clock and not read_clock().synchronized:
        found.add("clock")
    return DeviceChecks(frozenset(found), present, held)


def keys_fault(settings: RecorderSettings, used: str | None = None) -> str | None:
    """Return what is wrong with the signing key, or None. It reads a disk: for the writer, and for `doctor`.

    `used`: the public half of the key that the recorder signs with, where it runs.
    """
    path = settings.box.signing_key_path()
    try:
        key = SigningKey.load(path)
    except PlainSightError as error:
        return error.message
    if used is not None and key.public != used:
        return f"{path} holds another key than the recorder signs with; restart the recorder"
    return None
