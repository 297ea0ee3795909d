"""Clock trust: every step of the wall clock becomes an entry, no slew does, and each change of its state does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.ledger import ClockChange
from appliance.contract.times import Clock, parse_wall
from appliance.recorder import clock
from appliance.recorder.clock import Look
from appliance.recorder.writer.clock_step_detector import EVERY_NS, SLEW_PPM, STEP_NS, ClockStepDetector

SECOND = 1_000_000_000
BOOT = 1_795_000_000 * SECOND
NTP = Clock(synchronized=True, source="ntp", offset_ns=1_000)
NONE = Clock(synchronized=False, source="none", offset_ns=None)
NOISE_NS = 2_000_000
STEPS = st.one_of(st.just(0), st.integers(-90_000_000, 90_000_000), st.integers(-(10**14), 10**14))


class Watched:
    """A wall clock that is moved, and what was entered about it."""

    def __init__(self) -> None:
        self.now, self.wall, self.clock = 0, BOOT, NTP
        self.detector = ClockStepDetector(self.look())
        self.entries: list[ClockChange] = []

    def look(self, noise: int = 0) -> Look:
        return Look(self.wall + noise, self.now, self.clock)

    def pass_time(self, seconds: float = 1.0, ppm: float = 0, step: int = 0, noise: int = 0) -> None:
        elapsed = round(seconds * SECOND)
        self.now += elapsed
        self.wall += elapsed + round(elapsed * ppm / 1e6) + step
        entry = self.detector.add_look(self.look(noise))
        if entry is not None:
            self.entries.append(entry)

    @property
    def entered(self) -> int:
        return sum(entry.step_ns for entry in self.entries)


@given(
    st.lists(
        st.tuples(st.floats(0.5, 30), st.floats(-SLEW_PPM, SLEW_PPM), STEPS, st.integers(-NOISE_NS, NOISE_NS)),
        max_size=60,
    )
)
def test_entered_steps_add_up_to_what_really_happened(moves: list[tuple[float, float, int, int]]) -> None:
    watched = Watched()
    for seconds, ppm, step, noise in moves:
        watched.pass_time(seconds, ppm, step, noise)
        slewed = watched.now * 2 * SLEW_PPM // 1_000_000
        assert abs(watched.wall - BOOT - watched.now - watched.entered) <= STEP_NS + NOISE_NS + slewed
    assert abs(sum(step for _, _, step, _ in moves) - watched.entered) <= STEP_NS + NOISE_NS + watched.now // 1000


@given(st.lists(st.tuples(st.floats(0.5, 600), st.floats(-SLEW_PPM, SLEW_PPM)), max_size=200), st.integers(-5, 5))
def test_no_slew_is_ever_a_step(moves: list[tuple[float, float]], noise: int) -> None:
    watched = Watched()
    for number, (seconds, ppm) in enumerate(moves):
        watched.pass_time(seconds, ppm, noise=(-noise if number % 2 else noise) * 1_000_000)
    assert watched.entries == []


@given(st.integers(STEP_NS + 10 * NOISE_NS, 10**15), st.booleans(), st.integers(0, 100))
def test_a_step_is_entered_once_at_the_next_look(size: int, back: bool, before: int) -> None:
    watched = Watched()
    for _ in range(before):
        watched.pass_time(ppm=400)
    step = -size if back else size
    watched.pass_time(ppm=400, step=step)
    for _ in range(100):
        watched.pass_time(ppm=400)
    assert [entry.kind for entry in watched.entries] == ["clock"]
    assert abs(watched.entered - step) <= 10 * NOISE_NS


def test_small_steps_in_one_direction_are_entered_together() -> None:
    watched = Watched()
    for _ in range(10):
        watched.pass_time(step=60_000_000)
    assert abs(watched.entered - 600_000_000) <= STEP_NS


def test_an_entry_says_what_the_wall_clock_shows_now_and_when_that_was() -> None:
    watched = Watched()
    watched.pass_time(step=3 * 3600 * SECOND)
    [entry] = watched.entries
    assert entry.t_ns == watched.now
    assert round(parse_wall(entry.at).timestamp() * 1000) == watched.wall // 1_000_000
    assert (entry.step_ns, entry.clock) == (3 * 3600 * SECOND, NTP)


def test_a_change_of_the_trust_is_entered_and_a_change_of_the_offset_is_not() -> None:
    watched = Watched()
    watched.clock = Clock(synchronized=True, source="ntp", offset_ns=9_000)
    watched.pass_time()
    assert watched.entries == []
    for state in (NONE, NONE, NTP):
        watched.clock = state
        watched.pass_time()
    assert [(entry.step_ns, entry.clock) for entry in watched.entries] == [(0, NONE), (0, NTP)]


def test_a_look_is_due_once_a_second_and_both_clocks_are_read_together() -> None:
    first = clock.look()
    detector = ClockStepDetector(first)
    assert not detector.due(first.monotonic_ns + EVERY_NS - 1)
    assert detector.due(first.monotonic_ns + EVERY_NS)
    assert detector.add_look(clock.look()) is None
