"""The list of recordings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archive.recordings.models import Recording
from archive.recordings.views import recordings
from archive.rooms.models import Room
from tests.archive.page_fixtures import Arrive
from tests.archive.pages import check
from tests.support.archives import Archive


def listed(client: Any, query: str = "") -> list[str]:
    page = check(client.get(f"/recordings/{query}").content.decode())
    return [node.get("title") for node in page.all("td") if node.get("data-label") == "Identifier"]


def test_an_empty_archive_says_so(archive: Archive, technician: Any) -> None:
    assert (
        "There are no recordings yet. Each meeting will stand here"
        in check(technician.get("/recordings/").content.decode()).text
    )


def test_newest_first_with_state_outcome_length_and_badge(technician: Any, arrive: Arrive, sealed: Arrive) -> None:
    first, second = sealed(seconds=3), arrive(seconds=2, reason=None)

    Recording.objects.filter(pk=first.id).update(created_at=datetime.now(UTC) - timedelta(hours=1))
    assert listed(technician) == [second.id, first.id]
    page = check(technician.get("/recordings/").content.decode())
    new, old = (row.text for row in page.all("tbody")[0].all("tr"))
    assert "Room 12 0:02 Arriving simulated" in new
    assert "Room 12 0:03 Sealed simulated" in old
    assert "2 recordings, newest first" in page.one("caption").text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?state=sealed", 1),
        ("?state=receiving", 1),
        ("?state=refused", 0),
        ("?state=nonsense", 0),
        ("?room=999", 0),
        ("?room=x'y", 0),
        ("?room=" + "9" * 40, 0),
        ("?box=box-unknown", 0),
        ("?page=77", 2),
        ("?page=x", 2),
        ("?state=&room=&box=", 2),
    ],
)
def test_a_choice_shows_what_fits_it(technician: Any, arrive: Arrive, sealed: Arrive, query: str, count: int) -> None:
    sealed(seconds=1)
    arrive(seconds=1, reason=None)
    assert len(listed(technician, query)) == count


def test_room_and_box_can_be_chosen(archive: Archive, technician: Any, arrive: Arrive) -> None:
    made = arrive(seconds=1)
    assert listed(technician, f"?box={archive.keys.box}&room={Room.objects.get().pk}") == [made.id]
    page = check(technician.get(f"/recordings/?box={archive.keys.box}").content.decode())
    assert archive.keys.box in [one.get("value") for one in page.all("option") if "selected" in one.attributes]


def test_pages_keep_the_choice(technician: Any, arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "PER_PAGE", 2)
    for _ in range(3):
        arrive(seconds=1)
    page = check(technician.get("/recordings/?state=closed").content.decode())
    (older,) = [link.get("href") for link in page.all("a") if link.get("rel") == "next"]
    assert older == "?state=closed&page=2"
    assert len(listed(technician, older)) == 1


def test_a_refused_recording_is_shown_as_refused(technician: Any, arrive: Arrive) -> None:
    arrive(seconds=1)
    Recording.objects.update(state="refused")
    assert "Refused" in check(technician.get("/recordings/").content.decode()).one("tbody").text
