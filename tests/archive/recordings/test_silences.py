"""A copy says itself where it is silent or something is missing in it, also when it is loaded alone."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from archive.recordings import silences
from archive.recordings.models import Recording as Row
from archive.sealing.seal import seal
from archive.ui import words
from tests.archive.page_fixtures import RATE, Arrive
from tests.archive.pages import check
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import SECOND_NS, Recording, noise

from .test_audio import body


@pytest.fixture
def made(archive: Archive, tmp_path: Path) -> Recording:
    """A recording of 3 s whose second one was lost, and that was paused for 5 min behind it."""
    recording = Recording(tmp_path / "spool", archive.keys, rate=RATE, segment_frames=RATE)
    recording.begin()
    recording.segment()
    recording.gap(RATE, "unplugged")
    recording.segment(np.zeros(RATE, np.int16))
    recording.note("pause", frame=recording.frames, paused=True)
    recording.now_ns += 300 * SECOND_NS
    recording.note("pause", frame=recording.frames, paused=False)
    recording.segment(noise(RATE, seed=9))
    recording.close()
    send(archive.client(), recording)
    seal(recording.id)
    return recording


def comment_of(data: bytes) -> str:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        return str(file.comment)


def test_the_audio_alone_names_what_was_lost_and_paused_in_both_languages(custodian: Any, made: Recording) -> None:
    answer = custodian.get(f"/recordings/{made.id}/audio.flac")
    assert answer.headers["Content-Type"] == "audio/flac", "it is one file still"
    data = body(answer)
    told = comment_of(data)
    assert told.startswith(words.NOTICE)
    assert "PARTS OF THIS COPY ARE SILENT OR MISSING" in told
    assert "0:01: 1 s of sound lost and written as silence: the microphone was unplugged" in told
    assert "0:02: Paused for 5 min; nothing was recorded" in told
    assert "HAY PARTES DE ESTA COPIA EN SILENCIO O QUE FALTAN" in told
    assert "0:02: En pausa durante 5 min; no se grabó nada" in told
    assert np.array_equal(soundfile.read(io.BytesIO(data), dtype="int16")[0], made.samples)


def test_stock_flac_shows_it(custodian: Any, made: Recording, tmp_path: Path) -> None:
    path = tmp_path / "copy.flac"
    path.write_bytes(body(custodian.get(f"/recordings/{made.id}/audio.flac")))
    subprocess.run(["flac", "--silent", "--test", str(path)], check=True)
    listed = subprocess.run(
        ["metaflac", "--list", "--block-type=VORBIS_COMMENT", str(path)], check=True, capture_output=True, text=True
    ).stdout
    assert "the microphone was unplugged" in listed


def test_the_sealed_package_goes_with_the_paper_byte_for_byte(
    archive: Archive, custodian: Any, made: Recording
) -> None:
    data = body(custodian.get(f"/recordings/{made.id}/package.zip"))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert set(file.namelist()) == {"NOTICE.txt", "SILENT.txt", f"{made.id}.zip"}
        told = file.read("SILENT.txt").decode()
        kept = archive.home / "store" / "packages" / made.id[:2] / f"{made.id}.zip"
        assert file.read(f"{made.id}.zip") == kept.read_bytes()
        notice = file.read("NOTICE.txt").decode()
    assert "the microphone was unplugged" in told
    assert told.index("PARTS OF THIS COPY") < told.index("HAY PARTES DE ESTA COPIA")
    assert words.NOTICE in notice
    assert "Esta grabación no es parte del IEP" in notice


def test_the_page_of_copies_says_it_before_anything_is_taken(custodian: Any, made: Recording) -> None:
    page = check(custodian.get(f"/recordings/{made.id}/copies/").content.decode()).text
    assert "Parts of it are silent or missing" in page
    assert "0:01: 1 s of sound lost" in page


def test_a_whole_recording_says_nothing_of_silence(custodian: Any, sealed: Arrive) -> None:
    whole = sealed(seconds=2)
    told = comment_of(body(custodian.get(f"/recordings/{whole.id}/audio.flac")))
    assert "SILENT" not in told
    assert "silent or missing" not in custodian.get(f"/recordings/{whole.id}/copies/").content.decode()


def test_a_damaged_ledger_is_told_and_keeps_the_audio_from_nobody(
    archive: Archive, custodian: Any, made: Recording
) -> None:
    (path,) = (archive.home / "store" / "packages").rglob("*.zip")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"frames":8000,"cause"', b'"frames":7000,"cause"', 1))
    told = comment_of(body(custodian.get(f"/recordings/{made.id}/audio.flac")))
    assert "nobody can say: the list that its box signed (ledger) is damaged" in told
    assert "unplugged" not in told, "what is not as it was sealed is not told as if it were"


def test_the_paper_has_an_end_however_much_was_lost(made: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silences, "MOST", 1)
    told = silences.paper(silences.silences_of(Row.objects.get(pk=made.id), None))
    assert "the microphone was unplugged" in told
    assert "Paused for" not in told
    assert "and more; the ledger in the sealed package has all of it" in told
