"""The certificate's QR code is what a scanner must read: the tombstone's address with the sealed package's digest."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings

from archive.records import pdf
from archive.records.destruction import deeds
from tests.archive.page_fixtures import Arrive, signed_in
from tests.support import qr_codes
from tests.support.archives import Archive

from .scene import Scene, make_outside_scene, make_scene

KINDS: dict[str, Callable[[Arrive], Scene]] = {
    "recordings": lambda sealed: make_scene(sealed(seconds=1).id),
    "outside-recordings": lambda _: make_outside_scene(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_certificates_code_holds_its_link_with_the_sealed_digest(
    archive: Archive, sealed: Arrive, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, pages = KINDS[kind](sealed), []
    done = deeds.carry_out(scene.approved().pk, by=scene.bob)
    scene.row.refresh_from_db()

    def printed(html: str) -> bytes:
        pages.append(html)
        return b"%PDF-"

    monkeypatch.setattr(pdf, "pdf_of", printed)
    answer = signed_in(archive, "carol", role="custodian").get(f"/destructions/{done.pk}/certificate.pdf")
    assert answer.content == b"%PDF-"
    assert re.fullmatch("[0-9a-f]{64}", scene.row.package_sha256)
    link = f"{settings.ARCHIVE.site.url}/{kind}/{scene.row.pk}/#{scene.row.package_sha256}"
    (page,) = pages
    assert link in page, "whoever has no scanner types it"
    assert qr_codes.drawn_in(page) == qr_codes.of(link)
    assert qr_codes.drawn_in(page) != qr_codes.of(f"{link[:-1]}g")
