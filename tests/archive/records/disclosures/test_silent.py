"""A copy that is silent in parts says so, in the file and on its receipt; a parent's holds the own child's part."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.utils import translation

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.playback import open_audio
from archive.records.disclosures import deeds
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.deeds import DisclosureFacts
from archive.records.disclosures.models import Basis, Copy, Disclosure
from archive.records.disclosures.papers.receipt import receipt_html
from archive.records.disclosures.reach import facts_of
from archive.records.disclosures.rules import Missing, ferpa_gate
from archive.records.redactions.models import Redaction
from archive.records.restrictions import deeds as restriction_deeds
from archive.sealing.seal import seal
from tests.archive.page_fixtures import RATE, Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.redactions.scene import Scene, make_scene, passage
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Recording, noise


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    return make_scene(archive, sealed(seconds=4).id)


@pytest.fixture
def dan(archive: Archive) -> User:
    return make_user("dan", Deed.DISCLOSE)


def own(what: Copy = Copy.AUDIO, redaction: Redaction | None = None) -> DisclosureFacts:
    return DisclosureFacts(what, "", "Rosa Torres", "her own access", Basis.OWN, "", redaction)


def taken(row: Disclosure, by: User) -> tuple[Any, dict[str, str], str]:
    """Take a copy; return its audio, its papers, and its receipt."""
    data = b"".join(copy_of(deeds.begin_copy(row.pk, by=by), by))
    row.refresh_from_db()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        files = {name: file.read(name) for name in file.namelist()}
    (audio,) = [one for one in files if one.endswith(".flac")]
    heard = soundfile.read(io.BytesIO(files.pop(audio)), dtype="int16")[0]
    papers = {name: text.decode() for name, text in files.items()}
    return heard, papers, receipt_html(row)


def test_a_copy_with_a_restricted_passage_says_where_it_is_silent(scene: Scene, dan: User) -> None:
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    row = deeds.prepare(scene.row.pk, own(), by=dan)
    heard, papers, receipt = taken(row, dan)
    assert not heard[3 * RATE :].any()
    assert (heard[: 3 * RATE] == scene.original[: 3 * RATE]).all()
    assert "0:00:03.000 to 0:00:04.000" in papers["SILENT.txt"]
    assert "staff talked on" not in "".join(papers.values()), "the reason stays here"
    assert "SILENT.txt in the file lists them: 0:00:03.000 to 0:00:04.000" in receipt
    page = signed_in(scene.archive, "carol", role="custodian").get(f"/disclosures/{row.pk}/").content.decode()
    assert "0:00:03.000 to 0:00:04.000" in check(page).text


def test_a_copy_of_all_of_it_names_no_silence(scene: Scene, dan: User) -> None:
    heard, papers, receipt = taken(deeds.prepare(scene.row.pk, own(), by=dan), dan)
    assert (heard == scene.original).all()
    assert "SILENT.txt" not in papers
    assert "Silent" not in receipt


def test_the_receipt_of_a_redacted_copy_names_what_is_silent_beside_its_passages(scene: Scene, dan: User) -> None:
    made = scene.signed()
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    _heard, papers, receipt = taken(deeds.prepare(scene.row.pk, own(redaction=made), by=dan), dan)
    assert "SILENT.txt" not in papers
    assert "Besides, these were made silent" in papers["REDACTED.txt"]
    assert "REDACTED.txt in the file says so: 0:00:03.000 to 0:00:04.000" in receipt


def test_a_parents_copy_holds_what_is_filed_under_the_own_child_alone(scene: Scene, dan: User) -> None:
    # 34 CFR 99.12(a): nobody has said yet whose the second half is
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    heard, papers, receipt = taken(deeds.prepare(scene.row.pk, own(), by=dan), dan)
    assert not heard[2 * RATE :].any()
    assert (heard[: 2 * RATE] == open_audio(scene.row).read(0, 2 * RATE)).all()
    assert "0:00:02.000 to 0:00:04.000" in papers["SILENT.txt"]
    assert "0:00:02.000 to 0:00:04.000" in receipt
    whole = deeds.prepare(scene.row.pk, own(Copy.EVIDENCE), by=dan)
    assert ferpa_gate(facts_of(whole)) == [Missing.SEVERAL], "an evidence package holds all of the audio"


@pytest.mark.parametrize("staff", ["en", "es"])
def test_every_paper_and_the_receipt_are_in_english_and_spanish_whatever_staff_read(
    scene: Scene, dan: User, staff: str
) -> None:
    made = scene.signed()
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    with translation.override(staff):
        _heard, redacted, receipt = taken(deeds.prepare(scene.row.pk, own(redaction=made), by=dan), dan)
        _heard, silent, own_receipt = taken(deeds.prepare(scene.row.pk, own(), by=dan), dan)
    for paper, english, spanish in (
        (redacted["REDACTED.txt"], "THIS IS A REDACTED COPY", "ESTA ES UNA COPIA CON PARTES OMITIDAS"),
        (redacted["REDACTED.txt"], "a quiet tone; about another student", "un tono bajo; sobre otro estudiante"),
        (redacted["REDACTED.txt"], "restricted after this copy", "restringido después de que se hizo esta copia"),
        (silent["SILENT.txt"], "These parts were left out", "Estas partes se omitieron"),
        (silent["REDISCLOSURE.txt"], "may not pass it on", "no puede darlo a nadie más"),
        (silent["NOTICE.txt"], "not part of the IEP", "no es parte del IEP"),
        (receipt, "REDACTED.txt in the file lists them", "REDACTED.txt, en el archivo, los enumera"),
        (own_receipt, "SILENT.txt in the file lists them", "SILENT.txt, en el archivo, las enumera"),
        (own_receipt, "a parent&#x27;s own access", "el acceso propio de un padre o una madre"),
        (own_receipt, "Received by (name, signature, day)", "Recibido por (nombre, firma, fecha)"),
    ):
        assert english in paper
        assert spanish in paper
        assert paper.index(english) < paper.index(spanish), "English stands first, whoever printed it"
    assert "0:00:03.000 a 0:00:04.000" in own_receipt
    assert own_receipt.count("Received by") == 1, "it is one paper, signed once"


def test_a_copy_that_lost_sound_says_so_whichever_way_it_leaves(archive: Archive, dan: User, tmp_path: Path) -> None:
    recording = Recording(tmp_path / "spool", archive.keys, rate=RATE, segment_frames=RATE)
    recording.begin()
    recording.segment()
    recording.gap(RATE, "unplugged")
    recording.segment(np.zeros(RATE, np.int16))
    for number in (5, 6):
        recording.segment(noise(RATE, seed=number))
    recording.close()
    send(archive.client(), recording)
    seal(recording.id)
    lossy = make_scene(archive, recording.id)
    made = lossy.signed(passage(2 * RATE, 3 * RATE))
    lost = "0:01: 1 s of sound lost and written as silence: the microphone was unplugged"
    for facts in (own(), own(redaction=made)):
        _heard, papers, _receipt = taken(deeds.prepare(lossy.row.pk, facts, by=dan), dan)
        assert lost in papers["SILENT.txt"]
