"""The certificate's QR code is what a scanner must read: the tombstone's address with the sealed package's digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone, translation

from archive.records import pdf
from archive.records.destruction import deeds
from archive.records.destruction.models import Destruction, Reply
from archive.records.people.models import Right
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.records.factories import make_person, make_right
from tests.support import qr_codes
from tests.support.archives import Archive

from .scene import Scene, make_outside_scene, make_scene

KINDS: dict[str, Callable[[Arrive], Scene]] = {
    "recordings": lambda sealed: make_scene(sealed(seconds=1).id),
    "outside-recordings": lambda _: make_outside_scene(),
}


def printed(archive: Archive, done: Destruction, monkeypatch: pytest.MonkeyPatch, language: str = "en") -> str:
    """The certificate, as it goes to the maker of PDF files."""
    pages = []

    def kept(html: str) -> bytes:
        pages.append(html)
        return b"%PDF-"

    monkeypatch.setattr(pdf, "pdf_of", kept)
    client = signed_in(archive, "carol", role="custodian")
    client.cookies["language"] = language
    with translation.override("en"):
        answer = client.get(f"/destructions/{done.pk}/certificate.pdf")
    assert answer.content == b"%PDF-"
    (page,) = pages
    return " ".join(page.split())


@pytest.mark.parametrize("kind", KINDS)
def test_the_certificates_code_holds_its_link_with_the_sealed_digest(
    archive: Archive, sealed: Arrive, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = KINDS[kind](sealed)
    done = deeds.carry_out(scene.approved().pk, by=scene.bob)
    scene.row.refresh_from_db()
    page = printed(archive, done, monkeypatch)
    assert re.fullmatch("[0-9a-f]{64}", scene.row.package_sha256)
    link = f"{settings.ARCHIVE.site.url}/{kind}/{scene.row.pk}/#{scene.row.package_sha256}"
    assert link in page, "whoever has no scanner types it"
    assert qr_codes.drawn_in(page) == qr_codes.of(link)
    assert qr_codes.drawn_in(page) != qr_codes.of(f"{link[:-1]}g")


def test_it_says_of_nobody_that_they_were_told_who_were_not(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """34 CFR 300.624(a): a letter that lay in a drawer, to somebody who holds no rights any more, told nobody."""
    scene, luis = make_scene(sealed(seconds=1).id), make_person("Luis", "Torres")
    make_right(luis, scene.student)
    made = scene.propose()
    deeds.tell(made.pk, scene.student, luis, "en", by=scene.ann)
    Right.objects.filter(person=luis).update(valid_to=timezone.localdate() - timedelta(days=1))
    scene.told(made, Reply.SILENT)
    scene.told_again(made, Reply.AGREES)
    deeds.approve(made.pk, by=scene.bob)
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    done = deeds.carry_out(made.pk, by=scene.bob)
    page = printed(archive, done, monkeypatch)
    assert "One was told before; the answer: gave no answer in 45 days, later: agrees</dd>" in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Names that were removed with it stand in general backups of the database from before"),
        ("es", "Los nombres que se quitaron con ella siguen en los respaldos generales de la base de datos de antes"),
    ],
)
def test_it_says_where_the_names_still_stand(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    """34 CFR 300.611(a): an older backup of the database has the rows that were removed."""
    scene = make_scene(sealed(seconds=1).id)
    done = deeds.carry_out(scene.approved().pk, by=scene.bob)
    page = printed(archive, done, monkeypatch, language)
    assert f'<html lang="{language}">' in page
    assert said in page
