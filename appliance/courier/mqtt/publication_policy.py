"""What is published when: pure decisions from the recorder's successive statuses (docs/architecture.md, MQTT)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from appliance.contract import amber_codes
from appliance.contract.health import HealthReport, Source
from appliance.contract.status import About, Event, FaultMessage, RecorderStatus, SilentStatus
from appliance.contract.topics import Topics

_COUNTING = ("frames", "acked_frame", "acked_line", "lost_frames")
_COUNTERS = {*_COUNTING, "monotonic_ns", "free_bytes"}
"""What changes all the time; the rest is a change of state."""
_STATE = tuple(name for name in RecorderStatus.model_fields if name not in _COUNTERS)
SECOND_NS = 1_000_000_000
Status = RecorderStatus | SilentStatus


@dataclass(frozen=True)
class Publication:
    """One message to publish."""

    topic: str
    """The whole topic."""
    body: BaseModel | None
    """The message; None clears a retained topic."""
    retain: bool
    """Whether the broker keeps it."""

    def payload(self) -> bytes:
        """Return the bytes to publish."""
        return b"" if self.body is None else self.body.model_dump_json().encode()


class PublicationPolicy:
    """Decides what to publish; publishes nothing itself."""

    def __init__(self, box: str, *, software: str, report_s: float, counting_s: float) -> None:
        """Decide for `box`; `report_s` and `counting_s` are those of the settings."""
        self._topics = Topics(box)
        self._software = software
        self._report_ns = int(report_s * SECOND_NS)
        self._counting_ns = int(counting_s * SECOND_NS)
        self._published: Status | None = None
        self._published_ns = 0
        self._about: About | None = None
        self._faults: dict[str, FaultMessage] = {}
        self._ended: set[str] = set()
        """Codes that ended since this courier began."""
        self._health: dict[Source, HealthReport] = {}
        self._recording: str | None = None
        self._has_status = False

    def update(self, status: Status, now_ns: int) -> list[Publication]:
        """Return what is to be published, given the recorder's present status."""
        found: list[Publication] = []
        if isinstance(status, RecorderStatus):
            found += self._describe(status) + self._change_faults(status) + self._events(status)
        if self._due(status, now_ns):
            found.append(self._report(status, now_ns))
        return found

    def update_health(self, reports: list[HealthReport]) -> list[Publication]:
        """Return what is to be published of the box's examinations: those that were made since."""
        changed = [one for one in reports if self._health.get(one.source) != one]
        self._health.update({one.source: one for one in changed})
        return [self._of_health(one) for one in changed]

    def _of_health(self, report: HealthReport) -> Publication:
        return Publication(self._topics.health(report.source), report, retain=True)

    def all_retained(self, status: Status, now_ns: int) -> list[Publication]:
        """Return everything that holds now, for a broker that may know nothing or something old."""
        found = self.update(status, now_ns)
        topics = {publication.topic for publication in found}
        repeated = [Publication(self._topics.fault(code), body, retain=True) for code, body in self._faults.items()]
        repeated += [self._cleared(code) for code in sorted(self._ended)]
        repeated += [self._of_health(report) for report in self._health.values()]
        if self._about is not None:
            repeated.append(Publication(self._topics.about, self._about, retain=True))
        repeated = [publication for publication in repeated if publication.topic not in topics]
        if self._topics.recorder not in topics:
            repeated.append(self._report(status, now_ns))
        return found + repeated

    def event(self, kind: str, recording: str | None, now_ns: int) -> Publication:
        """Return the message of something that happened once."""
        body = Event(kind=kind, recording=recording, monotonic_ns=now_ns)
        return Publication(self._topics.event(kind), body, retain=False)

    def _report(self, status: Status, now_ns: int) -> Publication:
        self._published, self._published_ns = status, now_ns
        return Publication(self._topics.recorder, status, retain=True)

    def _due(self, status: Status, now_ns: int) -> bool:
        last, age_ns = self._published, now_ns - self._published_ns
        if last is None or age_ns >= self._report_ns:
            return True
        if not isinstance(status, RecorderStatus) or not isinstance(last, RecorderStatus):
            return type(status) is not type(last)
        if _differ(status, last, _STATE):
            return True
        return age_ns >= self._counting_ns and _differ(status, last, _COUNTING)

    def _describe(self, status: RecorderStatus) -> list[Publication]:
        last = self._about
        if last is not None and (last.panel, last.lamp) == (status.panel, status.lamp):
            return []
        self._about = About(box=status.box, software=self._software, panel=status.panel, lamp=status.lamp)
        return [Publication(self._topics.about, self._about, retain=True)]

    def _change_faults(self, status: RecorderStatus) -> list[Publication]:
        began = [code for code in status.faults if code not in self._faults]
        ended = [code for code in self._faults if code not in status.faults]
        for code in ended:
            del self._faults[code]
        for code in began:
            self._faults[code] = FaultMessage(code=code, since_ns=status.monotonic_ns)
        self._ended = (self._ended | set(ended)) - set(began)
        if not self._has_status:
            # the broker keeps what an earlier courier said, and the box may have been switched off with it
            ended = [fault.code for fault in amber_codes.TABLE if fault.code not in status.faults]
        return [self._cleared(code) for code in ended] + [
            Publication(self._topics.fault(code), self._faults[code], retain=True) for code in dict.fromkeys(began)
        ]

    def _cleared(self, code: str) -> Publication:
        return Publication(self._topics.fault(code), None, retain=True)

    def _events(self, status: RecorderStatus) -> list[Publication]:
        before, self._recording = self._recording, status.recording
        is_first, self._has_status = not self._has_status, True
        if is_first or before == status.recording:
            return []
        found = []
        if before is not None:
            found.append(self.event("recording-ended", before, status.monotonic_ns))
        if status.recording is not None:
            found.append(self.event("recording-started", status.recording, status.monotonic_ns))
        return found


def _differ(one: RecorderStatus, other: RecorderStatus, names: tuple[str, ...]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in names)
