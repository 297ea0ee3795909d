"""What other parts know about a recording stands on its page, and only what this reader may see."""

from __future__ import annotations

from typing import Any

import pytest

from archive.access.deeds import Deed
from archive.recordings import contributions
from archive.recordings.contributions import Action, Contribution, Note, Reader, Section, provide
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive


def meeting(_row: Recording, reader: Reader) -> Contribution:
    if reader.user.username != "m.jones":
        return Contribution()
    return Contribution(
        title="IEP meeting",
        notes=(Note(2.0, "The parent <b>joined</b>"), Note(1.0, "Everyone was told")),
        sections=(Section("Who was present", "ui/empty.html", {}),),
        actions=(Action("Disclose", "/requests/", "The disclosure is written into the record of access."),),
    )


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contributions, "_PROVIDERS", [])
    provide(meeting)


def test_title_notes_sections_and_actions_stand_on_the_page(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    page = check(custodian.get(f"/recordings/{made.id}/").content.decode())
    assert page.one("h1").text.startswith("IEP meeting, ")
    assert page.one("h1").text.endswith(", Room 12")
    noted = [row.all("td")[2].text for row in page.all("tr") if row.get("class") == "noted"]
    assert noted == ["Everyone was told", "The parent <b>joined</b>"]
    assert [row.get("data-offset") for row in page.all("tr") if row.get("class") == "noted"] == ["1.000", "2.000"]
    assert [button.text for button in page.all("button") if "note" in button.text] == ["Earlier note", "Later note"]
    assert "Who was present" in [heading.text for heading in page.all("h2")]
    assert [link.get("href") for link in page.all("a") if link.text == "Disclose"] == ["/requests/"]


def test_what_is_not_for_this_reader_is_not_there(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    page = check(signed_in(archive, "p.smith", *Deed).get(f"/recordings/{made.id}/").content.decode())
    assert page.one("h1").text.startswith("Room 12, ")
    assert "joined" not in page.text
    assert "Who was present" not in page.text
