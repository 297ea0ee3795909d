"""What state a recording is in, as far as whoever looks for it must know: list, page, print and commands use these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from archive.keystore.recording_keys import recording_keys
from archive.store.current import store

from .models import Outcome, Recording, State, TailSegment, Verification


class RecordingState(StrEnum):
    """Where a recording is, and whether it can be heard."""

    ARRIVING = "arriving"
    BOX_RETIRED = "box-retired"
    REFUSED = "refused"
    TAIL_AWAITED = "tail-awaited"
    BEING_SEALED = "being-sealed"
    SEALING_FAILS = "sealing-fails"
    SEALED = "sealed"
    KEY_GONE = "key-gone"
    KEY_UNUSABLE = "key-unusable"
    PACKAGE_GONE = "package-gone"
    DAMAGED = "damaged"
    DESTROYED = "destroyed"


class Mark(StrEnum):
    """What is not normal about a recording, whatever its state: how it ended, and what of it is lost."""

    ENDED_BY_FAULT = "ended-by-fault"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    WITH_LOSSES = "with-losses"
    DAMAGED_SEGMENTS = "damaged-segments"
    UNVERIFIED_TAIL = "unverified-tail"
    NOT_DATED = "not-dated"


@dataclass(frozen=True)
class StateFacts:
    """What the state follows from."""

    state: State
    """How far the archive got with it."""
    box_retired: bool = False
    """Whether nothing more is taken from its box."""
    sealing_failed: bool = False
    """Whether sealing was tried in vain."""
    tail_missing: bool = False
    """Whether the box still has pieces of an unverified tail to send."""
    package: Literal["there", "gone", "other-size"] = "there"
    """Whether the package lies in the store as it was sealed."""
    key: Literal["there", "gone", "unusable"] = "there"
    """Whether the recording's key is in the key store, and decrypts."""
    found_damaged: bool = False
    """Whether the last check of the package found that it does not hold."""
    destroyed: bool = False
    """Whether it was destroyed, by two people's decision."""


_DAMAGE: Final = {"tampered", "not-a-package"}
_BY_FAULT: Final = {"fault", "disk-full", "shutdown"}
FLAWED: Final = (
    Q(end_reason__in=_BY_FAULT)
    | Q(outcome__in=[Outcome.INTERRUPTED, Outcome.INCOMPLETE])
    | Q(lost_frames__gt=0)
    | Q(damaged_segments__gt=0)
    | Q(tail_segments__gt=0)
)
"""The condition that something of a recording is missing, by its row alone."""


def state_of(facts: StateFacts) -> RecordingState:
    """Return the state that follows from `facts`: what keeps people from listening longest comes first. Pure."""
    if facts.destroyed or facts.state == State.REFUSED:
        return RecordingState.DESTROYED if facts.destroyed else RecordingState.REFUSED
    if facts.state == State.SEALED:
        return _of_sealed(facts)
    if facts.sealing_failed:
        return RecordingState.SEALING_FAILS
    if facts.box_retired and (facts.state == State.RECEIVING or facts.tail_missing):
        return RecordingState.BOX_RETIRED
    if facts.state == State.RECEIVING:
        return RecordingState.ARRIVING
    return RecordingState.TAIL_AWAITED if facts.tail_missing else RecordingState.BEING_SEALED


def _of_sealed(facts: StateFacts) -> RecordingState:
    if facts.package == "gone":
        return RecordingState.PACKAGE_GONE
    if facts.package == "other-size" or facts.found_damaged:
        return RecordingState.DAMAGED
    keys = {"gone": RecordingState.KEY_GONE, "unusable": RecordingState.KEY_UNUSABLE}
    return keys.get(facts.key, RecordingState.SEALED)


def recording_state(recording: Recording) -> RecordingState:
    """Return the state; of a sealed recording package and key are looked for.

    DAMAGED only where the size or the last check tells; no package is read here.
    """
    if recording.destroyed_at is not None:
        return RecordingState.DESTROYED
    if recording.state == State.SEALED:
        return state_of(
            StateFacts(
                state=State.SEALED,
                package=_package(recording),
                key=_key(recording),
                found_damaged=_found_damaged(recording),
            )
        )
    return state_of(
        StateFacts(
            state=State(recording.state),
            box_retired=recording.box.is_silent,
            sealing_failed=bool(recording.problem),
            tail_missing=_tail_missing(recording),
        )
    )


def with_state(rows: QuerySet[Recording]) -> QuerySet[Recording]:
    """Return `rows` with all that the database tells of their states, so that many cost no query each."""
    missing = TailSegment.objects.filter(recording=OuterRef("pk"), arrived_at=None)
    return rows.select_related("box__successor", "verification").annotate(tail_missing=Exists(missing))


def _tail_missing(recording: Recording) -> bool:
    annotated = recording.__dict__.get("tail_missing")
    if annotated is not None:
        return bool(annotated)
    return recording.tail.filter(arrived_at=None).exists()


def _package(recording: Recording) -> Literal["there", "gone", "other-size"]:
    if not store().exists(recording.package):
        return "gone"
    return "there" if store().size(recording.package) == recording.package_size else "other-size"


def _key(recording: Recording) -> Literal["there", "gone", "unusable"]:
    if not recording_keys().exists(recording.pk):
        return "gone"
    return "there" if recording.key_verdict in {"ok", ""} else "unusable"


def _found_damaged(recording: Recording) -> bool:
    try:
        last = recording.verification
    except Verification.DoesNotExist:
        return False
    return last.verdict in _DAMAGE


def marks_of(recording: Recording) -> list[Mark]:
    """Return what is not normal about a recording, by its row alone."""
    holds = {
        Mark.ENDED_BY_FAULT: recording.end_reason in _BY_FAULT,
        Mark.INTERRUPTED: recording.outcome == Outcome.INTERRUPTED,
        Mark.INCOMPLETE: recording.outcome == Outcome.INCOMPLETE,
        Mark.WITH_LOSSES: recording.lost_frames > 0,
        Mark.DAMAGED_SEGMENTS: recording.damaged_segments > 0,
        Mark.UNVERIFIED_TAIL: recording.tail_segments > 0,
        Mark.NOT_DATED: not recording.dated,
    }
    return [mark for mark, held in holds.items() if held]


def is_flawed(recording: Recording) -> bool:
    """Tell whether something of a sealed recording is missing; of one that still arrives nobody knows it yet."""
    return recording.state == State.SEALED and bool(set(marks_of(recording)) - {Mark.NOT_DATED})
