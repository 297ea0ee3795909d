"""The guest kernel's own account of lines and microphone: tracefs, on CLOCK_MONOTONIC.

`gpio_value` is the kernel's tracepoint of every level that is set. The microphone has none, so two probes stand in: one
where opening a capture device begins, and one where releasing a sound device has ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .guest import Guest

FIRST_LINE: Final = 512
"""Number of the simulated chip's line 0 among the kernel's lines: it is the only chip."""
RED: Final = 23
_BEGIN: Final = """
cd /sys/kernel/tracing
echo 0 >tracing_on
echo 0 >events/plainsight/enable 2>/dev/null
echo >kprobe_events
echo mono >trace_clock
echo 'p:plainsight/opening snd_pcm_capture_open' >>kprobe_events
echo 'r:plainsight/released snd_pcm_release' >>kprobe_events
echo 1 >events/plainsight/enable
echo 1 >events/gpio/gpio_value/enable
echo 4096 >buffer_size_kb
echo >trace
echo 1 >tracing_on
"""
_LINE: Final = re.compile(
    r"^\s*(?P<task>.+?)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+(?P<at>\d+\.\d+): (?P<what>\w+): (?P<rest>.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Event:
    """Something that the kernel did."""

    at_s: float
    """CLOCK_MONOTONIC in seconds."""
    what: str
    """`lit`, `dark` (the line of the red lamp was set), `opening`, `released`."""
    task: str


def begin(guest: Guest) -> None:
    """Begin a new trace."""
    guest.run(_BEGIN)


def read(guest: Guest) -> list[Event]:
    """Return what happened since, in order; players of sound, whose name is aplay, are left out."""
    guest.run("cat /sys/kernel/tracing/trace >/run/vm/trace")
    return parse(guest.read("/run/vm/trace").decode("utf-8", "replace"))


def parse(text: str) -> list[Event]:
    """Return the events that a trace tells, in the order of their times."""
    found = []
    for line in _LINE.finditer(text):
        what = line["what"]
        if what == "gpio_value":
            number, direction, value = line["rest"].split()[:3]
            if int(number.rstrip(":")) != FIRST_LINE + RED or direction != "set":
                continue
            what = "lit" if value == "1" else "dark"
        elif what not in {"opening", "released"} or line["task"].strip() == "aplay":
            continue
        found.append(Event(float(line["at"]), what, line["task"].strip()))
    return sorted(found, key=lambda event: event.at_s)


def disorder(events: list[Event]) -> str:
    """Return the first event that breaks promise 1, in words, or an empty text.

    The microphone is opened under a lit lamp only, and the lamp is put out only when all that was opened is
    released. A chip that lets its lines go when their owner dies would be seen by the sense line, not here.
    """
    lit, opened = False, 0
    for event in events:
        if event.what == "lit":
            lit = True
        elif event.what == "opening":
            opened += 1
            if not lit:
                return f"{event.task} opened the microphone in the dark at {event.at_s:.6f}"
        elif event.what == "released":
            opened = max(0, opened - 1)
        elif event.what == "dark":
            if opened:
                return f"{event.task} put the lamp out at {event.at_s:.6f} with the microphone open"
            lit = False
    return ""


def moments(events: list[Event]) -> dict[str, float]:
    """Return when the lamp was lit first, the microphone opened first and released last, and the lamp dark last."""
    found: dict[str, float] = {}
    for event in events:
        if event.what in {"lit", "opening"}:
            found.setdefault(event.what, event.at_s)
        else:
            found[event.what] = event.at_s
    return found
