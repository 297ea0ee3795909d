"""What is published when: on change, every 30 s, counters at most once a second; faults kept and cleared."""

from __future__ import annotations

from typing import Any

from appliance.contract import amber_codes
from appliance.contract.status import About, Event, FaultMessage, RecorderStatus, SilentStatus
from appliance.courier.mqtt.publication_policy import Publication, PublicationPolicy

BOX = "box-7f3a92c1"
BASE = f"plainsight/{BOX}"
SECOND = 1_000_000_000


def word(**members: Any) -> RecorderStatus:
    return RecorderStatus.model_validate(
        {
            "box": BOX,
            "boot_id": "b",
            "monotonic_ns": 5,
            "state": "idle",
            "ready": True,
            "recording": None,
            "since_ns": 0,
            **members,
        }
    )


SILENT = SilentStatus(box=BOX, last_monotonic_ns=5)


def policy() -> PublicationPolicy:
    return PublicationPolicy(BOX, software="plainsight 0", report_s=30.0, counting_s=1.0)


def topics(found: list[Publication]) -> list[str]:
    return [publication.topic.removeprefix(BASE + "/") for publication in found]


def said(found: list[Publication]) -> list[Publication]:
    """Without what clears a topic."""
    return [publication for publication in found if publication.body is not None]


def cleared(found: list[Publication]) -> set[str]:
    """The amber codes whose topics are cleared."""
    empty = [publication for publication in found if (publication.payload(), publication.retain) == (b"", True)]
    return {topic.removeprefix("state/fault/") for topic in topics(empty)}


def test_the_first_word_says_what_the_box_is_and_how_it_is() -> None:
    found = said(policy().update(word(), 0))
    assert topics(found) == ["state/about", "state/recorder"]
    assert all(publication.retain for publication in found)
    assert found[0].body == About(box=BOX, software="plainsight 0", panel="gpio", lamp="unverified")


def test_without_a_change_the_state_is_repeated_every_thirty_seconds() -> None:
    it = policy()
    it.update(word(), 0)
    published = [second for second in range(1, 100) if it.update(word(monotonic_ns=second), second * SECOND)]
    assert published == [30, 60, 90]


def test_a_change_of_state_is_published_at_once() -> None:
    it = policy()
    it.update(word(), 0)
    changes: list[dict[str, Any]] = [
        {"ready": False}, {"state": "recording"}, {"lights": {"red": "on"}}, {"lamp": "verified"},
    ]  # fmt: skip
    for number, members in enumerate(changes, start=1):
        assert "state/recorder" in topics(it.update(word(**members), number))


def test_counters_are_published_at_most_once_a_second() -> None:
    it = policy()
    it.update(word(), 0)
    tenths = [tenth for tenth in range(1, 41) if it.update(word(frames=tenth * 4800), tenth * SECOND // 10)]
    assert tenths == [10, 20, 30, 40]


def test_free_space_alone_waits_for_the_next_report() -> None:
    it = policy()
    it.update(word(free_bytes=10), 0)
    assert it.update(word(free_bytes=9), 5 * SECOND) == []


def test_silence_is_published_once_and_then_repeated_slowly() -> None:
    it = policy()
    it.update(word(), 0)
    assert [publication.body for publication in it.update(SILENT, 1)] == [SILENT]
    assert it.update(SILENT, 29 * SECOND) == []
    assert topics(it.update(SILENT, 31 * SECOND)) == ["state/recorder"]
    assert "state/recorder" in topics(it.update(word(), 31 * SECOND + 1))


def test_a_fault_is_kept_while_it_holds_and_then_cleared_by_an_empty_payload() -> None:
    it = policy()
    it.update(word(), 0)
    came = it.update(word(faults=["clock", "spool-low"], monotonic_ns=70), 1)
    assert topics(came) == ["state/fault/clock", "state/fault/spool-low", "state/recorder"]
    assert came[0].body == FaultMessage(code="clock", since_ns=70)
    went = it.update(word(faults=["spool-low"], monotonic_ns=80), 2)
    assert topics(went) == ["state/fault/clock", "state/recorder"]
    assert (went[0].payload(), went[0].retain) == (b"", True)
    assert it.update(word(faults=["spool-low"], monotonic_ns=90), 3) == []


def test_a_new_connection_hears_everything_that_holds_whatever_was_said_before() -> None:
    it = policy()
    it.update(word(faults=["clock"]), 0)
    again = it.all_retained(word(faults=["clock"]), 1)
    assert sorted(topics(again)) == ["state/about", "state/fault/clock", "state/recorder"]
    silent = it.all_retained(SILENT, 2)
    assert sorted(topics(silent)) == ["state/about", "state/fault/clock", "state/recorder"]
    assert SILENT in [publication.body for publication in silent]


def test_what_an_earlier_courier_said_and_no_longer_holds_is_cleared_with_the_first_word() -> None:
    """A box is switched off with a fault and switched on without it; the broker has kept the fault."""
    every = {fault.code for fault in amber_codes.TABLE}
    it = policy()
    assert cleared(it.all_retained(SILENT, 0)) == set(), "of a silent recorder nothing is known"
    assert cleared(it.update(word(faults=["clock"]), 1)) == every - {"clock"}
    assert cleared(it.update(word(faults=["clock"], ready=False), 2)) == set(), "once is enough"
    assert cleared(policy().all_retained(word(), 0)) == every


def test_a_new_connection_hears_what_ended_since_the_courier_began() -> None:
    """The message may have been lost with the connection before, or the broker with what it had kept since."""
    it = policy()
    it.update(word(faults=["clock", "spool-low"]), 0)
    it.update(word(faults=["spool-low"]), 1)
    assert cleared(it.all_retained(word(faults=["spool-low"]), 2)) == {"clock"}
    assert cleared(it.all_retained(SILENT, 3)) == {"clock"}
    assert cleared(it.all_retained(word(faults=["clock"]), 4)) == {"spool-low"}


def test_a_recording_that_starts_and_ends_is_an_event_and_not_retained() -> None:
    it = policy()
    first, second = "a" * 32, "b" * 32
    it.update(word(), 0)
    (started,) = [p for p in it.update(word(recording=first, state="recording", monotonic_ns=7), 1) if not p.retain]
    assert started.body == Event(kind="recording-started", recording=first, monotonic_ns=7)
    assert [p for p in it.update(word(recording=first, state="recording"), 2) if not p.retain] == []
    kinds = topics([p for p in it.update(word(recording=second, state="recording"), 3) if not p.retain])
    assert kinds == ["event/recording-ended", "event/recording-started"]
    assert topics(it.update(word(), 4)) == ["event/recording-ended", "state/recorder"]


def test_a_courier_that_starts_in_the_middle_of_a_meeting_makes_no_event() -> None:
    assert [p for p in policy().update(word(recording="a" * 32, state="recording"), 0) if not p.retain] == []
