"""A redacted copy: made by the worker, exact to the sample, heard by a second listener, and not outside before that."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from appliance.contract.errors import NotSealedError
from appliance.contract.segment import decode
from archive.access.deeds import Deed
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.recordings.models import Recording
from archive.recordings.secrets import secret_of
from archive.records.errors import DeedError
from archive.records.redactions import deeds
from archive.records.redactions.derivative_file import MANIFEST, piece_name
from archive.records.redactions.make_deeds import make
from archive.records.redactions.models import Basis, Redaction
from archive.records.redactions.reach import gaps_of, opened
from archive.records.redactions.sound import How
from archive.records.restrictions import deeds as restriction_deeds
from archive.store.current import store
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Recording as Spooled

from .scene import Scene, inside, make_scene, passage


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_a_copy_is_exact_to_the_sample_at_every_rate(archive: Archive, sealed: Arrive, rate: int) -> None:
    scene = make_scene(archive, sealed(seconds=12, rate=rate, segment_frames=rate).id)
    before = scene.original
    made = scene.made(
        passage(rate + 7, 3 * rate - 1),
        passage(2 * rate, 4 * rate, How.MUTE),
        passage(4 * rate, 4 * rate + 1),
        passage(9 * rate + 500, 10 * rate + 500),
        passage(11 * rate, None),
    )
    heard, mask = scene.hear(made, scene.bob), inside(made)
    assert int((heard[~mask] != before[~mask]).sum()) == 0, "samples changed outside"
    assert int((heard[mask] == before[mask]).sum()) < mask.sum() / 1000, "noise equals a tone by chance alone"
    assert not heard[2 * rate : 4 * rate].any(), "silence goes before the tone"
    assert heard[rate + 7 : 2 * rate].any()
    assert (made.outside, made.inside) == (int((~mask).sum()), int(mask.sum()))
    assert np.array_equal(scene.original, before), "the original is never touched"
    assert scene.row.package_sha256 == Recording.objects.get(pk=scene.row.pk).package_sha256


def test_the_copy_s_file_opens_with_age_and_flac_alone_and_its_manifest_names_every_piece(scene: Scene) -> None:
    made = scene.made()
    data = store().read(made.object)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        lines = file.read(MANIFEST).decode().splitlines()
        assert [line[66:] for line in lines] == [piece_name(0), "derivative.json"]
        assert json.loads(file.read("derivative.json"))["frames"] == made.recording.frames
        plain = secret_of(scene.row.pk).decrypt(file.read(piece_name(0)))
    assert plain.startswith(b"fLaC")
    samples = decode(plain, made.recording.frames, RATE)
    with opened(made) as reader:
        assert np.array_equal(samples, reader.read(0, made.recording.frames))
    assert len(plain) == 4096 + 2 * made.recording.frames, "its size tells nothing of what is silent"
    keys = settings.ARCHIVE_HOME / "store"
    assert not [one for one in keys.rglob("*") if "AGE-SECRET-KEY" in one.name or one.suffix == ".txt"]


def test_gaps_stay_silent_also_under_a_tone(archive: Archive, tmp_path: Any) -> None:
    from archive.sealing.seal import seal  # noqa: PLC0415 - models need Django

    spooled = Spooled(tmp_path / "spool", archive.keys, rate=RATE, segment_frames=RATE)
    spooled.begin()
    spooled.segment()
    spooled.gap(RATE)
    spooled.segment(np.zeros(RATE, np.int16))
    spooled.segment()
    spooled.close("button")
    send(archive.client(), spooled)
    seal(spooled.id)
    scene = make_scene(archive, spooled.id)
    (gap,) = gaps_of(scene.row)
    assert not scene.original[gap.first : gap.last].any()
    made = scene.made(passage(gap.first - 100, gap.last + 100))
    heard = scene.hear(made, scene.bob)
    assert len(heard) == scene.row.frames, "nothing is cut out"
    assert not heard[gap.first : gap.last].any()
    assert heard[gap.first - 100 : gap.first].any()
    assert heard[gap.last : gap.last + 100].any()


@pytest.mark.parametrize(("first", "last"), [(5, 5), (6, 5), (10**9, None), (0, 10**9), (4 * RATE, None)])
def test_a_passage_lies_inside_its_recording(scene: Scene, first: int, last: int | None) -> None:
    made = scene.begun()
    with pytest.raises(DeedError, match="inside"):
        deeds.enter_passage(scene.row.pk, made.pk, passage(first, last), by=scene.ann)
    with pytest.raises(DeedError, match="there already"):
        deeds.enter_passage(scene.row.pk, made.pk, passage(RATE, 2 * RATE), by=scene.ann)


def test_a_copy_without_passages_is_none(scene: Scene) -> None:
    made = scene.begun()
    deeds.remove_passage(scene.row.pk, made.pk, made.passages.get().pk, by=scene.ann)
    with pytest.raises(DeedError, match="without passages"):
        deeds.ask(scene.row.pk, made.pk, by=scene.ann)


def test_all_of_it_is_in_the_log_and_its_digest_too(scene: Scene) -> None:
    made = scene.signed()
    codes = [one.code for one in entries(scene.row.pk) if one.code.startswith(("redaction", "listen"))]
    assert codes == [
        *("redaction", "redaction-passage", "redaction-asked", "redaction-made", "listen", "redaction-signed-off"),
    ]
    (entry,) = entries(scene.row.pk, "redaction-made")
    assert entry.member("sha256") == made.sha256
    (heard,) = entries(scene.row.pk, "listen")
    assert (heard.member("redaction"), heard.actor_id) == (made.pk.hex, str(scene.bob.pk))
    (signed,) = entries(scene.row.pk, "redaction-signed-off")
    assert (signed.member("sha256"), signed.member("heard_s")) == (made.sha256, 4)
    assert check_custody() is None
    assert not [one for one in contradictions() if "redacted" in one]


def test_the_log_contradicts_a_copy_that_is_another_one_or_gone(scene: Scene) -> None:
    made = scene.made()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redactions_redaction SET sha256 = %s", ["0" * 64])
    assert [one for one in contradictions() if "not the one that was made" in one]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redactions_redaction SET sha256 = %s", [made.sha256])
    assert not [one for one in contradictions() if "redacted" in one]
    store().remove(made.object)
    assert [one for one in contradictions() if "gone from the store" in one]


@pytest.mark.parametrize("where", ["piece", "manifest", "cut"])
def test_a_copy_that_somebody_swapped_is_not_played(scene: Scene, where: str) -> None:
    made = scene.made()
    path = settings.ARCHIVE_HOME / "store" / made.object
    data = bytearray(path.read_bytes())
    at = {"piece": 5000, "manifest": data.rindex(b"derivative.json\nPK") - 70, "cut": 0}[where]
    data[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(data[: len(data) // 2] if where == "cut" else data)
    answer = scene.client(scene.bob).get(scene.address(made, "audio.wav"))
    assert answer.status_code >= 400
    assert entries(scene.row.pk, "listen") == []


def test_a_restricted_passage_is_silent_there_too(scene: Scene) -> None:
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    made = scene.made()
    (found,) = made.passages.filter(by_archive=True)
    assert (found.first_frame, found.last_frame, found.basis) == (3 * RATE, 4 * RATE, Basis.RESTRICTED)
    with opened(made) as reader:
        assert not reader.read(3 * RATE, RATE).any()
    scene.hear(made, scene.bob)
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_what_is_restricted_afterwards_is_silent_for_the_listener_who_cannot_sign_it_off_then(scene: Scene) -> None:
    made = scene.made()
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    heard = scene.hear(made, scene.bob)
    assert not heard[3 * RATE :].any()
    with pytest.raises(DeedError, match="a part of this recording only"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_there_is_no_copy_of_what_is_not_sealed(archive: Archive, arrive: Arrive) -> None:
    ann = make_user("ann", Deed.REDACT)
    row = Recording.objects.get(pk=arrive(seconds=1).id)
    with pytest.raises(DeedError, match="not sealed"):
        deeds.begin(row.pk, "x", None, by=ann)
    with pytest.raises(NotSealedError):
        make(Redaction(recording=row))
