"""The waveform: made once after the seal, protected as the audio is, and shown to whoever may listen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.keystore.recording_keys import recording_keys
from archive.recordings import waveform
from archive.recordings.models import Recording, Waveform
from archive.recordings.waveform import WaveformMaker, draw, measure, waveform_of
from archive.sealing.seal import seal
from tests.archive.page_fixtures import RATE, Arrive, entries, signed_in
from tests.support.archives import Archive, lose_key
from tests.support.box_requests import send
from tests.support.spools import Recording as Made


def loud_then_quiet(folder: Path, archive: Archive, client: Any) -> Recording:
    made = Made(folder, archive.keys, rate=RATE, segment_frames=RATE)
    made.begin()
    for level in (20000, 20000, 200, 0):
        made.segment(np.full(RATE, level, np.int16))
    made.close()
    send(client, made)
    seal(made.id)
    return Recording.objects.get(pk=made.id)


def test_it_shows_what_was_loud_and_what_was_quiet(archive: Archive, client: Any, tmp_path: Path) -> None:
    row = loud_then_quiet(tmp_path / "spool", archive, client)
    assert waveform_of(row) == b""
    draw(row)
    peaks = np.frombuffer(waveform_of(row), np.uint8)
    assert peaks.size == waveform.POINTS
    loud, quiet, silent = peaks[:800], peaks[800:1200], peaks[1200:]
    assert set(loud) == {237}
    assert set(quiet) == {67}
    assert set(silent) == {0}


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=400),
    st.integers(1, 50),
    st.integers(1, 60),
)
def test_each_point_is_the_greatest_of_its_part_however_it_is_read(samples: list[int], rate: int, points: int) -> None:
    audio = np.array(samples, np.int16)
    got = measure(audio.size, rate, lambda first, frames: audio[first : first + frames], points)
    count = min(points, audio.size)
    parts = [
        [abs(sample) for place, sample in enumerate(samples) if place * count // audio.size == point]
        for point in range(count)
    ]
    expected = waveform.levels_of(np.array([max(part) for part in parts], np.int64))
    assert np.array_equal(got, expected)


def test_the_worker_makes_each_once_and_again_where_it_is_lost(archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    maker = WaveformMaker()
    assert maker.once(StopSignal()) == 1
    assert maker.once(StopSignal()) == 0
    Waveform.objects.all().delete()
    assert maker.once(StopSignal()) == 1


def test_old_recordings_and_failed_ones_are_looked_at_every_hour(archive: Archive, sealed: Arrive) -> None:
    moment = 0.0
    maker = WaveformMaker(lambda: moment)
    assert maker.once(StopSignal()) == 0
    made = sealed(seconds=1)
    key = recording_keys().read(made.id)
    lose_key(made.id)
    assert maker.once(StopSignal()) == 0
    recording_keys().put_once(made.id, key)
    assert maker.once(StopSignal()) == 0, "a failure is not tried again at once"
    moment = waveform.ALL_S
    assert maker.once(StopSignal()) == 1


def test_a_worker_that_is_told_to_stop_leaves_it_for_later(archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    stop = StopSignal()
    stop.set()
    assert WaveformMaker().once(stop) == 0
    assert not Waveform.objects.exists()


def test_what_is_kept_tells_nothing_without_the_recording_s_key(archive: Archive, client: Any, tmp_path: Path) -> None:
    row = loud_then_quiet(tmp_path / "spool", archive, client)
    kept = bytes(draw(row).encrypted)
    assert kept.startswith(b"age-encryption.org/v1\n")
    assert bytes(waveform_of(row)) not in kept
    lose_key(row.pk)
    assert waveform_of(row) == b""


def test_only_who_may_listen_sees_it(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    draw(Recording.objects.get())
    address = f"/recordings/{made.id}/"
    drawn = re.compile(r'class="bars" d="M1 ')
    assert drawn.search(signed_in(archive, "may.listen", Deed.LOOK, Deed.LISTEN).get(address).content.decode())
    assert not drawn.search(signed_in(archive, "may.look", Deed.LOOK).get(address).content.decode())
    assert not entries(made.id, "listen"), "a look at it is a look"


def test_the_command_makes_it_now(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert "made the waveform of" in archive.run("make-waveform", made.id).stdout
    assert waveform_of(Recording.objects.get())


@pytest.mark.parametrize("frames", [0, 1])
def test_hardly_any_sound_has_hardly_any_points(frames: int) -> None:
    assert measure(frames, 8000, lambda first, count: np.ones(frames, np.int16)).size == frames
