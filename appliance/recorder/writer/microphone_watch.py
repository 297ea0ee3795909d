"""Measures the segments that were written and reports to the supervisor when the verdict on the microphone changes.

It runs after the acknowledgement and needs half a millisecond a second, so that no frame waits for it. Silence that the
recorder wrote in place of lost frames says nothing about the microphone and is not measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from appliance.contract.commissioning import Floor
from appliance.recorder.ipc.messages import FromWriter, MicrophoneVerdict
from appliance.recorder.microphone_monitor import Detector, Verdict, measure

from .segmenter import Segment

RATE: Final = "microphone-rate"
"""The amber code for a card whose clock is further off than any crystal."""


class MicrophoneWatch:
    """Watches the microphone during one recording."""

    def __init__(self, floor: Floor | None, rate: int, report: Callable[[FromWriter], None]) -> None:
        self._detector = Detector(floor, rate)
        self._rate = rate
        self._report = report
        self._told = Verdict()
        self._gap_end = 0

    def add_segment(self, segment: Segment, *, rate_is_wrong: bool = False) -> None:
        """Measure the next segment, if it is a whole second from the microphone."""
        self._gap_end = max([self._gap_end, *(gap.first_frame + gap.frames for gap in segment.gaps)])
        if segment.gaps or segment.first_frame < self._gap_end or segment.samples.size != self._rate:
            return
        verdict = self._detector.add_second(measure(segment.samples, self._rate))
        if rate_is_wrong:
            verdict = replace(verdict, codes=verdict.codes | {RATE})
        if verdict != self._told:
            # codes and a bit, never a level (promise 7)
            self._report(MicrophoneVerdict(quiet=verdict.quiet, faults=frozenset(verdict.codes)))
            self._told = verdict

    def interrupt(self) -> None:
        """Note that the microphone was closed: the next segment does not follow the last one."""
        self._detector.interrupt()
