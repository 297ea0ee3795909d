"""Applying one MQTT message to what is known of a box. `heard` is pure; `keep` writes it down."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from pydantic import ValidationError

from appliance.contract.errors import FormatError
from appliance.contract.health import SOURCES, HealthReport
from appliance.contract.problems import explain
from appliance.contract.status import MAX_FAULTS, About, FaultMessage, Online, RecorderStatus, SilentStatus
from appliance.contract.topics import parse
from archive.configuration.brokers import MAIN
from archive.core.deeds import take_turn

from .models import Box, BoxStatus
from .state import Report

MAX_PAYLOAD = 64 << 10
"""Longest message that is looked at, in bytes."""


@dataclass(frozen=True)
class Message:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool
    """Whether the broker had kept it: then its age is unknown."""
    at: datetime
    """When it arrived here."""
    broker: str = MAIN
    """Name of the broker that brought it."""


@dataclass(frozen=True)
class Known:
    """What is known of a box: BoxStatus without the database."""

    session: int = 0
    online: bool = False
    heard_at: datetime | None = None
    recorder: RecorderStatus | SilentStatus | None = None
    live: bool = False
    about: About | None = None
    faults: tuple[tuple[str, int], ...] = ()
    health: tuple[HealthReport, ...] = ()
    """The last report of each source."""


def heard(known: Known, rest: str, message: Message) -> Known:
    """Return what is known after `message` on `plainsight/BOX/<rest>`; raise FormatError if it is senseless."""
    try:
        if rest == "online":
            return _online(known, Online.model_validate_json(message.payload), message)
        if rest == "state/recorder":
            return _recorder(known, message)
        if rest == "state/about":
            return replace(known, about=About.model_validate_json(message.payload))
        if rest.startswith("state/health/"):
            return _health(known, rest.removeprefix("state/health/"), message.payload)
        if rest.startswith("state/fault/"):
            return _fault(known, rest.removeprefix("state/fault/"), message.payload)
    except ValidationError as error:
        raise FormatError(f"{message.topic}: {explain(error)}") from error
    return known


def _online(known: Known, word: Online, message: Message) -> Known:
    begins = word.online and not message.retained
    if word.session < known.session and not begins:
        return known  # the Will of a connection that was replaced, or a value from before the broker crashed
    return replace(known, session=word.session, online=word.online)


def _recorder(known: Known, message: Message) -> Known:
    word = read_recorder(message.payload)
    later_ns = _later_ns(known, word)
    if later_ns is not None and later_ns < 0:
        return known
    if not message.retained:
        return replace(_without_what_ended(known, word), recorder=word, live=True, heard_at=message.at)
    if later_ns is not None and known.heard_at is not None:
        # the box's own clock dates it against a message that was heard live
        dated = known.heard_at + timedelta(microseconds=later_ns // 1000)
        return replace(known, recorder=word, heard_at=min(dated, message.at))
    return known if known.live else replace(known, recorder=word)


def _without_what_ended(known: Known, word: RecorderStatus | SilentStatus) -> Known:
    """Return `known` without the codes that the recorder no longer names: the broker may keep what nobody cleared."""
    if isinstance(word, SilentStatus):
        return known
    return replace(known, faults=tuple((code, since) for code, since in known.faults if code in word.faults))


def _later_ns(known: Known, word: RecorderStatus | SilentStatus) -> int | None:
    """Return how much later `word` was written than the last live one, in nanoseconds; None if that cannot be told."""
    before = known.recorder
    if not known.live or isinstance(word, SilentStatus) or not isinstance(before, RecorderStatus):
        return None
    return word.monotonic_ns - before.monotonic_ns if word.boot_id == before.boot_id else None


def read_recorder(payload: bytes) -> RecorderStatus | SilentStatus:
    """Return what `state/recorder` says; raise ValidationError if it is neither form."""
    if b'"silent"' in payload:
        return SilentStatus.model_validate_json(payload)
    return RecorderStatus.model_validate_json(payload)


def _health(known: Known, source: str, payload: bytes) -> Known:
    others = {report.source: report for report in known.health if report.source != source}
    if payload:
        report = HealthReport.model_validate_json(payload)
        if report.source != source:
            raise FormatError(f"a report of {report.source} came on the topic of {source}")
        others[report.source] = report
    return replace(known, health=tuple(others[name] for name in SOURCES if name in others))


def _fault(known: Known, code: str, payload: bytes) -> Known:
    others = {name: since for name, since in known.faults if name != code}
    if payload:
        fault = FaultMessage.model_validate_json(payload)
        if fault.code != code:
            raise FormatError(f"a message about {fault.code} came on the topic of {code}")
        others[code] = fault.since_ns
        if len(others) > MAX_FAULTS:
            raise FormatError(f"more than {MAX_FAULTS} amber codes hold at once")
    return replace(known, faults=tuple(sorted(others.items())))


def keep(messages: Sequence[Message]) -> list[str]:
    """Apply messages to the database in one transaction, in order; return why some were not understood.

    A message that is senseless changes nothing, and neither do those on topics that are not ours, of boxes that are not
    enrolled, and from another broker than the box's.
    """
    ours = [(where, message) for message in messages if (where := _where(message)) is not None]
    problems: list[str] = []
    with transaction.atomic():
        names = {box for (box, _), _ in ours}
        told = Box.objects.filter(pk__in=names, retired_at=None).values_list("pk", "broker")
        brokers = {box: settings.ARCHIVE.mqtt.called(broker).name for box, broker in told}
        # what the broker before kept of a box is old, and says nothing about the one that it reports to now
        ours = [(where, message) for where, message in ours if brokers.get(where[0]) == message.broker]
        enrolled = {box for (box, _), _ in ours}
        # of two listeners that hear the same one waits here, and then knows what the other knew
        take_turn("what boxes say about themselves")
        rows = {row.box_id: row for row in BoxStatus.objects.filter(pk__in=enrolled)}
        before = {box: load(rows[box]) if box in rows else Known() for box in enrolled}
        known = dict(before)
        for (box, rest), message in ours:
            try:
                known[box] = _of_itself(box, heard(known[box], rest, message))
            except FormatError as error:
                problems.append(error.message)
        for box, after in known.items():
            if box not in rows or after != before[box]:
                _store(rows.get(box) or BoxStatus(box_id=box), after)
    return problems


def _where(message: Message) -> tuple[str, str] | None:
    """Return box and the rest of the topic if the message is one that is kept."""
    where = parse(message.topic)
    if where is None or len(message.payload) > MAX_PAYLOAD or where[1].startswith("event/"):
        return None
    return where


def _of_itself(box: str, known: Known) -> Known:
    about = known.about.box if known.about else box
    recorder = known.recorder.box if known.recorder else box
    if {about, recorder, *(report.box for report in known.health)} != {box}:
        raise FormatError(f"{box} speaks as another box")
    return known


def load(row: BoxStatus) -> Known:
    """Return a row's content, typed."""
    return Known(
        session=row.session,
        online=row.online,
        heard_at=row.heard_at,
        recorder=_recorder_of(row.recorder),
        live=row.recorder_live,
        about=_about_of(row.about),
        faults=tuple(sorted(row.faults.items())),
        health=_health_of(row.health),
    )


def _health_of(value: dict[str, Any]) -> tuple[HealthReport, ...]:
    """Return the reports that this version understands; the box sends the others again."""
    found = []
    for source in SOURCES:
        with suppress(ValidationError):
            if source in value:
                found.append(HealthReport.model_validate(value[source]))
    return tuple(found)


def health(row: BoxStatus | None) -> tuple[HealthReport, ...]:
    """Return what the box's own examinations found, as far as it is known."""
    return () if row is None else _health_of(row.health)


def _recorder_of(value: dict[str, Any] | None) -> RecorderStatus | SilentStatus | None:
    if value is None:
        return None
    try:
        return (SilentStatus if value.get("state") == "silent" else RecorderStatus).model_validate(value)
    except ValidationError:
        # of another version of the archive: this box is not known until it speaks again, and the others are
        return None


def _about_of(value: dict[str, Any] | None) -> About | None:
    try:
        return About.model_validate(value) if value else None
    except ValidationError:
        return None


def _store(row: BoxStatus, known: Known) -> None:
    row.session, row.online, row.heard_at = known.session, known.online, known.heard_at
    row.recorder = known.recorder.model_dump(mode="json") if known.recorder else None
    row.recorder_live = known.live
    row.about = known.about.model_dump(mode="json") if known.about else None
    row.faults = dict(known.faults)
    row.health = {report.source: report.model_dump(mode="json") for report in known.health}
    row.save()


def report(row: BoxStatus | None) -> Report:
    """Return what archive.devices.state needs of a box; None is a box that never spoke."""
    if row is None:
        return Report()
    known = load(row)
    return Report(known.online, known.heard_at, known.recorder, known.live, tuple(name for name, _ in known.faults))
