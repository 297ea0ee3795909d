"""Pages tell people whom to ask, as the district named it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from archive.configuration.web import Site
from tests.archive.page_fixtures import signed_in
from tests.archive.page_sources import ARCHIVE, TEMPLATES
from tests.archive.pages import check
from tests.support.archives import Archive


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    site = settings.ARCHIVE.site.model_copy(update={"contact": "Pat Doe, 555-0100"})
    monkeypatch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"site": site}))


def test_without_a_name_it_is_the_administrator(client: Any) -> None:
    assert Site().contact == ""
    assert "Questions? Ask your administrator." in check(client.get("/sign-in/").content.decode()).text


@pytest.mark.usefixtures("named")
def test_the_site_s_contact_is_named_on_every_page(archive: Archive, client: Any) -> None:
    assert "Questions? Ask Pat Doe, 555-0100." in check(client.get("/sign-in/").content.decode()).text
    custodian = signed_in(archive, "m.jones", role="custodian")
    assert "Tell Pat Doe, 555-0100:" in check(custodian.get("/rooms/").content.decode()).text


def test_no_page_speaks_of_whoever_looks_after_the_archive() -> None:
    sources = [*TEMPLATES, *(ARCHIVE / "ui").glob("*.py"), *(ARCHIVE / "rooms").glob("*.py")]
    for source in sources:
        assert "looks after the archive" not in source.read_text(), source
