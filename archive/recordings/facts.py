"""What is known about a recording, as pairs of name and value for its page."""

from __future__ import annotations

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appliance.contract.ledger import Entry
from archive.ui import words

from .models import Recording, State
from .timeline import drift_words
from .validation import UNJUDGED


def facts(recording: Recording, entries: list[Entry]) -> list[tuple[str, str]]:
    """Return the pairs; `entries` are the ledger's."""
    header = recording.signed_header
    lost = words.spoken(recording.lost_frames / recording.rate) if recording.lost_frames else _("none")
    lamp = (
        _("verified: a sensor watches it")
        if header.lamp == "verified"
        else _("unverified: no sensor is wired to see it")
    )
    panel = _("simulated: not real") if header.panel == "simulated" else _("real button and lamp")
    pairs = [
        (_("Length"), _length(recording)),
        (_("Sound lost"), lost),
        (_("How it ended"), words.outcome(recording.outcome)),
        (_("Room"), recording.room.name if recording.room else _("not known: the box had no room then")),
        (_("Box"), recording.box_id),
        (_("Clock of the box"), words.clock(header.clock)),
        (_("Button and lamp"), panel),
        (_("Red lamp"), lamp),
        (_("Microphone"), ", ".join(filter(None, [header.microphone.device, header.microphone.identity]))),
        (_("Sound card's clock"), drift_words(entries)),
        (_("Recorder"), header.software),
        (_("Began to arrive"), words.when(localtime(recording.arrived_at))),
    ]
    if recording.sealed_at:
        pairs.append((_("Sealed"), words.when(localtime(recording.sealed_at))))
    return pairs + _troubles(recording)


def _length(recording: Recording) -> str:
    return _("{length} ({frames} frames at {rate} Hz)").format(
        length=words.clock_time(recording.seconds), frames=recording.frames, rate=recording.rate
    )


def _troubles(recording: Recording) -> list[tuple[str, str]]:
    bad, tail = recording.damaged_segments, recording.tail_segments
    if recording.state != State.SEALED:
        arrived = recording.arrivals.exclude(verdicts={}).values_list("verdicts", flat=True)
        bad = sum(verdict != UNJUDGED for verdicts in arrived for verdict in verdicts.values())
        tail = recording.tail.count()
    found = []
    if bad:
        found.append(
            (_("Damaged segments"), _("{count} could not be decrypted or decoded when they arrived").format(count=bad))
        )
    if tail:
        told = ngettext(
            "{count} segment that the box had not signed; kept, and not played",
            "{count} segments that the box had not signed; kept, and not played",
            tail,
        )
        found.append((_("Unverified tail"), told.format(count=tail)))
    return found
