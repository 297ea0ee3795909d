"""What is known about a recording, as pairs of name and value for its page."""

from __future__ import annotations

from django.utils.timezone import localtime

from appliance.contract.ledger import Entry
from archive.ui import words

from .models import Recording, State
from .timeline import drift_words
from .validation import UNJUDGED


def facts(recording: Recording, entries: list[Entry]) -> list[tuple[str, str]]:
    """Return the pairs; `entries` are the ledger's."""
    header = recording.signed_header
    lost = words.spoken(recording.lost_frames / recording.rate) if recording.lost_frames else "none"
    lamp = "verified: a sensor sees it" if header.lamp == "verified" else "unverified: no sensor is wired to see it"
    panel = "simulated: not real" if header.panel == "simulated" else "real button and lamp"
    pairs = [
        ("Length", f"{words.clock_time(recording.seconds)} ({recording.frames} frames at {recording.rate} Hz)"),
        ("Sound lost", lost),
        ("How it ended", words.OUTCOMES.get(recording.outcome, "not known yet")),
        ("Room", recording.room.name if recording.room else "not known: the box had no room then"),
        ("Box", recording.box_id),
        ("Clock of the box", words.clock(header.clock)),
        ("Button and lamp", panel),
        ("Red lamp", lamp),
        ("Microphone", ", ".join(filter(None, [header.microphone.device, header.microphone.identity]))),
        ("Sound card's clock", drift_words(entries)),
        ("Recorder", header.software),
        ("Began to arrive", words.when(localtime(recording.arrived_at))),
    ]
    if recording.sealed_at:
        pairs.append(("Sealed", words.when(localtime(recording.sealed_at))))
    return pairs + _troubles(recording)


def _troubles(recording: Recording) -> list[tuple[str, str]]:
    bad, tail = recording.damaged_segments, recording.tail_segments
    if recording.state != State.SEALED:
        arrived = recording.arrivals.exclude(verdicts={}).values_list("verdicts", flat=True)
        bad = sum(verdict != UNJUDGED for verdicts in arrived for verdict in verdicts.values())
        tail = recording.tail.count()
    found = []
    if bad:
        found.append(("Damaged segments", f"{bad} could not be decrypted or decoded when they arrived"))
    if tail:
        found.append(
            (
                "Unverified tail",
                f"{words.count(tail, 'segment', 'segments')} that the box had not signed; kept, and not played",
            )
        )
    return found
