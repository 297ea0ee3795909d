"""What is published when: pure decisions from the recorder's successive words (docs/architecture.md, MQTT)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from appliance.contract.status import About, Event, FaultMessage, RecorderStatus, SilentStatus
from appliance.contract.topics import Topics

_COUNTERS = {"monotonic_ns", "frames", "acked_frame", "acked_line", "lost_frames", "free_bytes"}
"""What changes all the time; the rest is a change of state."""
_COUNTING = {"frames", "acked_frame", "acked_line", "lost_frames"}
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Publication:
    """One message to publish."""

    topic: str
    """The whole topic."""
    body: BaseModel | None
    """What it says; None clears a retained topic."""
    retain: bool
    """Whether the broker keeps it."""

    def payload(self) -> bytes:
        """Return the bytes to publish."""
        return b"" if self.body is None else self.body.model_dump_json().encode()


class PublicationPolicy:
    """Decides; does nothing itself."""

    def __init__(self, box: str, *, software: str, report_s: float, counting_s: float) -> None:
        """Decide for `box`; `report_s` and `counting_s` are those of the settings."""
        self._topics = Topics(box)
        self._software = software
        self._report_ns = int(report_s * SECOND_NS)
        self._counting_ns = int(counting_s * SECOND_NS)
        self._said: RecorderStatus | SilentStatus | None = None
        self._said_ns = 0
        self._about: About | None = None
        self._faults: dict[str, FaultMessage] = {}
        self._recording: str | None = None
        self._heard = False

    def hear(self, word: RecorderStatus | SilentStatus, now_ns: int) -> list[Publication]:
        """Return what is to be published, given the recorder's present word."""
        found: list[Publication] = []
        if isinstance(word, RecorderStatus):
            found += self._describe(word) + self._change_faults(word) + self._events(word)
        if self._worth_saying(word, now_ns):
            found.append(self._say(word, now_ns))
        return found

    def all_retained(self, word: RecorderStatus | SilentStatus, now_ns: int) -> list[Publication]:
        """Return everything that holds now, for a broker that may know nothing or something old."""
        found = self.hear(word, now_ns)
        topics = {publication.topic for publication in found}
        repeated = [Publication(self._topics.fault(code), body, retain=True) for code, body in self._faults.items()]
        if self._about is not None:
            repeated.append(Publication(self._topics.about, self._about, retain=True))
        repeated = [publication for publication in repeated if publication.topic not in topics]
        if self._topics.recorder not in topics:
            repeated.append(self._say(word, now_ns))
        return found + repeated

    def event(self, kind: str, recording: str | None, now_ns: int) -> Publication:
        """Return the message of something that happened once."""
        body = Event(kind=kind, recording=recording, monotonic_ns=now_ns)
        return Publication(self._topics.event(kind), body, retain=False)

    def _say(self, word: RecorderStatus | SilentStatus, now_ns: int) -> Publication:
        self._said, self._said_ns = word, now_ns
        return Publication(self._topics.recorder, word, retain=True)

    def _worth_saying(self, word: RecorderStatus | SilentStatus, now_ns: int) -> bool:
        said, age_ns = self._said, now_ns - self._said_ns
        if said is None or age_ns >= self._report_ns:
            return True
        if not isinstance(word, RecorderStatus) or not isinstance(said, RecorderStatus):
            return type(word) is not type(said)
        if word.model_dump(exclude=_COUNTERS) != said.model_dump(exclude=_COUNTERS):
            return True
        return age_ns >= self._counting_ns and word.model_dump(include=_COUNTING) != said.model_dump(include=_COUNTING)

    def _describe(self, word: RecorderStatus) -> list[Publication]:
        about = About(box=word.box, software=self._software, panel=word.panel, lamp=word.lamp)
        if about == self._about:
            return []
        self._about = about
        return [Publication(self._topics.about, about, retain=True)]

    def _change_faults(self, word: RecorderStatus) -> list[Publication]:
        came = [code for code in word.faults if code not in self._faults]
        went = [code for code in self._faults if code not in word.faults]
        for code in went:
            del self._faults[code]
        for code in came:
            self._faults[code] = FaultMessage(code=code, since_ns=word.monotonic_ns)
        return [Publication(self._topics.fault(code), None, retain=True) for code in went] + [
            Publication(self._topics.fault(code), self._faults[code], retain=True) for code in dict.fromkeys(came)
        ]

    def _events(self, word: RecorderStatus) -> list[Publication]:
        before, self._recording = self._recording, word.recording
        heard, self._heard = self._heard, True
        if not heard or before == word.recording:
            return []
        found = []
        if before is not None:
            found.append(self.event("recording-ended", before, word.monotonic_ns))
        if word.recording is not None:
            found.append(self.event("recording-started", word.recording, word.monotonic_ns))
        return found
