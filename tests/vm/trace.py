"""The guest kernel's own account of lines and microphone: tracefs, on CLOCK_MONOTONIC.

`gpio_value` is the kernel's tracepoint of every level that is set. The microphone has none, so probes stand in: where
opening a capture device begins and ends, and where releasing a sound device has ended.
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
echo 'p:plainsight/opening snd_pcm_capture_open file=$arg2' >>kprobe_events
echo 'r:plainsight/opened snd_pcm_capture_open file=$arg2 status=$retval:s32' >>kprobe_events
echo 'r:plainsight/released snd_pcm_release file=$arg2' >>kprobe_events
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
    """`lit`, `dark` (the line of the red lamp was set), `opening`, `refused`, `released`."""
    task: str
    file: str = ""
    """Which opening this belongs to."""


def begin(guest: Guest) -> None:
    """Begin a new trace."""
    guest.run(_BEGIN)


def read(guest: Guest) -> list[Event]:
    """Return what happened since, in order."""
    guest.run("cat /sys/kernel/tracing/trace >/run/vm/trace")
    return parse(guest.read("/run/vm/trace").decode("utf-8", "replace"))


def parse(text: str) -> list[Event]:
    """Return the events that a trace tells, in the order of their times."""
    found, capturing = [], set[str]()
    for line in _LINE.finditer(text):
        what, at_s, task = line["what"], float(line["at"]), line["task"].strip()
        if what == "gpio_value":
            number, direction, value = line["rest"].split()[:3]
            if int(number.rstrip(":")) == FIRST_LINE + RED and direction == "set":
                found.append(Event(at_s, "lit" if value == "1" else "dark", task))
            continue
        members = dict(word.split("=", 1) for word in line["rest"].split() if "=" in word)
        file = members.get("file", "")
        if what == "opening":
            capturing.add(file)
        elif what == "opened" and int(members["status"]) != 0:
            what = "refused"
        if what in {"opening", "refused", "released"} and file in capturing:
            found.append(Event(at_s, what, task, file))
            if what != "opening":
                capturing.discard(file)
    return sorted(found, key=lambda event: event.at_s)


def disorder(events: list[Event]) -> str:
    """Return the first event that breaks promise 1, in words, or an empty text.

    The microphone is opened under a lit lamp only, and the lamp is put out only when all that was opened is released.
    """
    lit, held = False, set[str]()
    for event in events:
        if event.what == "lit":
            lit = True
        elif event.what == "opening":
            held.add(event.file)
            if not lit:
                return f"{event.task} opened the microphone in the dark at {event.at_s:.6f}"
        elif event.what == "dark":
            if held:
                return f"{event.task} put the lamp out at {event.at_s:.6f} with the microphone open"
            lit = False
        else:
            held.discard(event.file)
    return "the microphone was never closed" if held else ""


def moments(events: list[Event]) -> dict[str, float]:
    """Return when the lamp was lit first, the microphone opened first and released last, and the lamp dark last."""
    found: dict[str, float] = {}
    for event in events:
        if event.what in {"lit", "opening"}:
            found.setdefault(event.what, event.at_s)
        else:
            found[event.what] = event.at_s
    return found
