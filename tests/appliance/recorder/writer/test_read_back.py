"""Promise 2: what is read back is compared twice, as bytes and as samples, and each comparison stands by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.contract import segment
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.segment import Samples
from appliance.recorder.storage.disk import Disk, DiskError
from appliance.recorder.writer.read_back import check_bytes, check_segment
from tests.support.spools import noise

RATE = 8000
SAMPLES = noise(RATE)
IDENTITY = Identity.generate()


def sealed(samples: Samples) -> bytes:
    return encrypt(segment.encode(samples, RATE), [IDENTITY.recipient])


def check(path: Path, written: bytes, samples: Samples = SAMPLES, identity: Identity = IDENTITY) -> None:
    check_segment(Disk(), path, written, identity, samples=samples, rate=RATE)


def test_what_came_back_as_it_was_written_passes(tmp_path: Path) -> None:
    path = tmp_path / "00000000.age"
    path.write_bytes(sealed(SAMPLES))
    check(path, path.read_bytes())


def test_other_bytes_are_refused_even_if_they_open_to_the_same_samples(tmp_path: Path) -> None:
    path = tmp_path / "00000000.age"
    path.write_bytes(sealed(SAMPLES))
    with pytest.raises(DiskError, match="bytes came back"):
        check(path, sealed(SAMPLES))


@pytest.mark.parametrize("at", [0, RATE // 2, RATE - 1])
def test_an_encoder_that_changes_one_sample_is_found_although_the_bytes_are_right(tmp_path: Path, at: int) -> None:
    wrong = SAMPLES.copy()
    wrong[at] ^= 1
    path = tmp_path / "00000000.age"
    path.write_bytes(sealed(wrong))
    with pytest.raises(DiskError, match="the samples differ"):
        check(path, path.read_bytes())


def test_a_segment_that_the_recordings_key_does_not_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "00000000.age"
    path.write_bytes(sealed(SAMPLES))
    with pytest.raises(DiskError, match="not read back as it was written"):
        check(path, path.read_bytes(), identity=Identity.generate())


def test_a_segment_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "00000000.age"
    path.write_bytes(sealed(SAMPLES))
    with pytest.raises(DiskError):
        check(path, path.read_bytes(), np.concatenate([SAMPLES, SAMPLES]))


def test_a_line_that_was_changed_cut_or_followed_by_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.tsv"
    path.write_bytes(b"one\ntwo\n")
    check_bytes(Disk(), path, 4, b"two\n")
    for wrong in (b"twO\n", b"two", b"two\nmore\n", b""):
        with pytest.raises(DiskError, match="other bytes came back"):
            check_bytes(Disk(), path, 4, wrong)
