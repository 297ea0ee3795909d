"""The state of a recording: one pure function, whose words list, page, print and commands use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.custody.actors import ARCHIVE
from archive.devices.enrollment import retire
from archive.recordings.models import Recording, State, Verification
from archive.recordings.recording_state import Mark, RecordingState, StateFacts, marks_of, recording_state, state_of
from archive.store.base import package_name
from tests.archive.page_fixtures import Arrive, verified
from tests.support.archives import Archive, lose_key

S, R = State, RecordingState
CASES = [
    (StateFacts(S.RECEIVING), R.ARRIVING),
    (StateFacts(S.RECEIVING, box_retired=True), R.BOX_RETIRED),
    (StateFacts(S.RECEIVING, box_retired=True, sealing_failed=True), R.SEALING_FAILS),
    (StateFacts(S.CLOSED), R.BEING_SEALED),
    (StateFacts(S.CLOSED, box_retired=True), R.BEING_SEALED),
    (StateFacts(S.CLOSED, tail_missing=True), R.TAIL_AWAITED),
    (StateFacts(S.CLOSED, tail_missing=True, box_retired=True), R.BOX_RETIRED),
    (StateFacts(S.CLOSED, sealing_failed=True), R.SEALING_FAILS),
    (StateFacts(S.REFUSED), R.REFUSED),
    (StateFacts(S.SEALED), R.SEALED),
    (StateFacts(S.SEALED, box_retired=True), R.SEALED),
    (StateFacts(S.SEALED, key="gone"), R.KEY_GONE),
    (StateFacts(S.SEALED, key="unusable"), R.KEY_UNUSABLE),
    (StateFacts(S.SEALED, package="gone"), R.PACKAGE_GONE),
    (StateFacts(S.SEALED, package="other-size"), R.DAMAGED),
    (StateFacts(S.SEALED, found_damaged=True), R.DAMAGED),
    (StateFacts(S.SEALED, package="gone", key="gone", found_damaged=True), R.PACKAGE_GONE),
    (StateFacts(S.SEALED, key="gone", found_damaged=True), R.DAMAGED),
    (StateFacts(S.SEALED, package="gone", key="gone", destroyed=True), R.DESTROYED),
]
FACTS = st.builds(
    StateFacts,
    state=st.sampled_from(State),
    box_retired=st.booleans(),
    sealing_failed=st.booleans(),
    tail_missing=st.booleans(),
    package=st.sampled_from(["there", "gone", "other-size"]),
    key=st.sampled_from(["there", "gone", "unusable"]),
    found_damaged=st.booleans(),
)


@pytest.mark.parametrize(("facts", "state"), CASES)
def test_each_state_follows_from_its_facts(facts: StateFacts, state: RecordingState) -> None:
    assert state_of(facts) == state


def test_every_state_is_reached() -> None:
    assert {state for _, state in CASES} == set(RecordingState)


@given(FACTS)
def test_only_what_is_sealed_whole_and_has_its_key_is_called_sealed(facts: StateFacts) -> None:
    whole = replace(facts, package="there", key="there", found_damaged=False)
    assert (state_of(facts) == R.SEALED) == (facts.state == S.SEALED and facts == whole)


def test_a_destroyed_recording_is_called_so_without_a_look_for_what_is_gone() -> None:
    assert recording_state(Recording(state=S.SEALED, destroyed_at=timezone.now())) == R.DESTROYED


def now() -> RecordingState:
    return recording_state(Recording.objects.get())


def test_a_recording_goes_from_arriving_to_sealed(archive: Archive, arrive: Arrive) -> None:
    arrive(seconds=1, reason=None)
    assert now() == R.ARRIVING
    retire(archive.keys.box, by=ARCHIVE)
    assert now() == R.BOX_RETIRED


def test_one_that_lost_its_package_or_key_or_is_damaged_says_so(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    path = archive.home / "store" / package_name(made.id)
    path.chmod(0o600)
    whole = path.read_bytes()
    assert now() == R.SEALED
    path.write_bytes(whole[:-1])
    assert now() == R.DAMAGED
    path.write_bytes(whole[:-300] + bytes([whole[-300] ^ 1]) + whole[-299:])
    assert now() == R.SEALED, "the size tells nothing"
    verified(custodian, made.id)
    assert now() == R.DAMAGED, "the check tells"
    path.write_bytes(whole)
    verified(custodian, made.id)
    assert now() == R.SEALED
    path.unlink()
    assert now() == R.PACKAGE_GONE
    path.write_bytes(whole)
    Recording.objects.update(key_verdict="wrong-recipient")
    assert now() == R.KEY_UNUSABLE
    lose_key(made.id)
    assert now() == R.KEY_GONE


def test_a_check_that_was_only_asked_for_says_nothing_yet(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    custodian.post(f"/recordings/{made.id}/verify/")
    assert not Verification.objects.get().report
    assert now() == R.SEALED


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, []),
        ({"end_reason": "fault", "lost_frames": 120_000}, [Mark.ENDED_BY_FAULT, Mark.WITH_LOSSES]),
        ({"end_reason": "disk-full"}, [Mark.ENDED_BY_FAULT]),
        ({"end_reason": "shutdown"}, [Mark.ENDED_BY_FAULT]),
        ({"end_reason": "cap"}, []),
        ({"outcome": "interrupted", "tail_segments": 2}, [Mark.INTERRUPTED, Mark.UNVERIFIED_TAIL]),
        ({"outcome": "incomplete", "damaged_segments": 1}, [Mark.INCOMPLETE, Mark.DAMAGED_SEGMENTS]),
        ({"dated": False}, [Mark.NOT_DATED]),
    ],
)
def test_what_is_not_normal_is_marked_everywhere(
    archive: Archive, technician: Any, sealed: Arrive, changes: dict[str, Any], marks: list[Mark]
) -> None:
    sealed(seconds=1)
    Recording.objects.update(**changes)
    assert marks_of(Recording.objects.get()) == marks
    (told,) = json.loads(archive.run("list", "--json").stdout)
    assert (told["standing"], told["marks"]) == ("sealed", [mark.value for mark in marks])
    line = archive.run("list").stdout
    assert all(mark.value in line for mark in marks)
