"""The list of recordings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime

from appliance.contract.times import wall
from archive.devices.models import Box
from archive.recordings import listing
from archive.recordings.models import Recording
from archive.rooms.models import Room
from archive.sealing.seal import seal
from tests.archive.page_fixtures import Arrive
from tests.archive.pages import check
from tests.support import spools
from tests.support.archives import Archive
from tests.support.box_requests import send


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

    Recording.objects.filter(pk=first.id).update(listed_at=datetime.now(UTC) - timedelta(hours=1))
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
        ("?before=x", 2),
        ("?before=2026-99-01T00:00:00.000Z_0", 2),
        ("?before=0001-01-01T00:00:00.000Z_0", 0),
        ("?after=9999-12-31T23:59:59.999Z_0", 0),
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


def many(archive: Archive, count: int) -> None:
    """So many sealed recordings, several of which are listed by the same moment."""
    box, start = Box.objects.get(), datetime(2026, 1, 1, tzinfo=UTC)
    Recording.objects.bulk_create(
        Recording(
            pk=f"{(number * 7919) % count:032x}",
            box=box,
            header=b"",
            created_at=start,
            arrived_at=start,
            listed_at=start + timedelta(seconds=number // 3),
            rate=8000,
            state="sealed" if number % 2 else "closed",
        )
        for number in range(count)
    )


def walk(client: Any, address: str, rel: str) -> list[list[str]]:
    """The identifiers on each page, following links."""
    pages = []
    while True:
        page = check(client.get(f"/recordings/{address}").content.decode())
        pages.append([node.get("title") for node in page.all("td") if node.get("data-label") == "Identifier"])
        address = next((link.get("href") for link in page.all("a") if link.get("rel") == rel), "")
        if not address:
            return pages


@pytest.mark.parametrize("choice", ["", "?state=sealed"])
def test_every_recording_is_on_exactly_one_page(archive: Archive, technician: Any, choice: str) -> None:
    many(archive, 230)
    pages = walk(technician, choice, "next")
    seen = [one for page in pages for one in page]
    fitting = Recording.objects.filter(**({"state": "sealed"} if choice else {}))
    assert seen == list(fitting.order_by("-listed_at", "-pk").values_list("pk", flat=True))
    assert {len(page) for page in pages[:-1]} == {listing.PER_PAGE}


def test_the_way_back_shows_the_same_pages(archive: Archive, technician: Any) -> None:
    many(archive, 170)
    forward = walk(technician, "", "next")
    rows = list(Recording.objects.order_by("-listed_at", "-pk"))
    last = listing.Place(rows[-1].listed_at, rows[-1].pk)
    back = walk(technician, f"?after={last}", "prev")
    assert [one for page in reversed(back) for one in page] == [row.pk for row in rows[:-1]]
    assert [one for page in forward for one in page] == [row.pk for row in rows]


def test_pages_keep_the_choice(archive: Archive, technician: Any) -> None:
    many(archive, 120)
    page = check(technician.get("/recordings/?state=closed").content.decode())
    (older,) = [link.get("href") for link in page.all("a") if link.get("rel") == "next"]
    assert older.startswith("?state=closed&before=")
    assert len(listed(technician, older)) == 10


@pytest.mark.parametrize(
    "query", ["", "?state=sealed", "?room=1", "?before=2026-01-01T00:00:20.000Z_0", "?state=closed"]
)
def test_a_page_costs_the_same_whatever_the_table_holds(archive: Archive, technician: Any, query: str) -> None:
    many(archive, 600)
    with CaptureQueriesContext(connection) as few:
        technician.get(f"/recordings/{query}")
    # 2 of the list, the rest of session, rights and the form's choices
    assert len(few) <= 12
    for one in few.captured_queries:
        if '"recordings_recording"' in one["sql"] and one["sql"].startswith("SELECT"):
            assert "LIMIT" in one["sql"]
            assert not sorts(one["sql"])


def sorts(sql: str) -> str:
    """The plan of a query if it has to sort, or to read the whole table, since no index has its order; or nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # so small a table is sorted by choice
            for way in ("seqscan", "sort", "incremental_sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {sql}")
            plan = " ".join(line for (line,) in cursor.fetchall())
            return plan if "Sort" in plan or "Seq Scan on recordings_recording" in plan else ""
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = " ".join(str(row[3]) for row in cursor.fetchall())
        scans = "SCAN recordings_recording" in plan and "USING" not in plan
        return plan if "USE TEMP B-TREE" in plan or scans else ""


def test_a_query_that_sorts_is_told_from_one_that_does_not(archive: Archive) -> None:
    many(archive, 100)
    rows = Recording.objects.values("pk")
    assert not sorts(str(rows.order_by("-listed_at", "-pk")[:5].query))
    assert sorts(str(rows.order_by("outcome")[:5].query))


def test_more_than_can_be_counted_is_called_so(
    archive: Archive, technician: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(archive, 30)
    monkeypatch.setattr(listing, "MAX_COUNT", 20)
    caption = check(technician.get("/recordings/").content.decode()).one("caption").text
    assert "more than 20 recordings" in caption


@pytest.mark.parametrize("year", ["1970", "2199"])
def test_a_box_with_a_wrong_clock_is_listed_by_its_arrival_and_marked(
    archive: Archive, technician: Any, arrive: Arrive, year: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = arrive(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(spools, "now", lambda: f"{year}-01-01T00:00:00.000Z")
        wrong = arrive(seconds=1)
    last = arrive(seconds=1)
    assert listed(technician) == [last.id, wrong.id, right.id]
    page = check(technician.get("/recordings/").content.decode())
    marked = ["not known" in row.one("th").text for row in page.all("tbody")[0].all("tr")]
    assert marked == [False, True, False]
    row = Recording.objects.get(pk=wrong.id)
    assert (row.listed_at, row.dated) == (row.arrived_at, False)
    lines = archive.run("list").stdout.splitlines()
    assert ["clock was wrong" in line for line in lines] == [False, True, False]


def test_a_clock_that_is_set_in_mid_meeting_dates_the_recording_once_it_is_sealed(
    archive: Archive, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box that boots in 1970 and gets the time from the network during the meeting."""
    with monkeypatch.context() as patched:
        patched.setattr(spools, "now", lambda: "1970-01-01T00:00:31.000Z")
        patched.setattr(spools, "CLOCK", spools.CLOCK.model_copy(update={"synchronized": False}))
        made = spools.Recording(tmp_path, archive.keys, rate=8000, segment_frames=8000)
    made.begin()
    made.segment()
    right = datetime.now(UTC).replace(microsecond=0)
    clock = spools.CLOCK.model_dump()
    made.note("clock", at=wall(right), step_ns=10**18, clock=clock)
    since = timedelta(microseconds=(made.now_ns - made.header.created_ns) // 1000)
    made.segment()
    made.close()
    send(client, made)
    assert Recording.objects.get().dated is False
    row = seal(made.id)
    assert row.dated
    assert abs(row.listed_at - (right - since)) < timedelta(seconds=1)


def test_the_command_lists_in_a_stream(archive: Archive) -> None:
    assert json.loads(archive.run("list", "--json").stdout) == []
    many(archive, 2500)
    with CaptureQueriesContext(connection) as queries:
        done = archive.run("list", "--json").stdout
    assert len(json.loads(done)) == 2500
    assert len(done.splitlines()) == 2501
    assert len(queries) <= 4


def test_a_refused_recording_is_shown_as_refused(technician: Any, arrive: Arrive) -> None:
    arrive(seconds=1)
    Recording.objects.update(state="refused")
    assert "Refused" in check(technician.get("/recordings/").content.decode()).one("tbody").text


def test_days_and_the_beginning_of_an_identifier_can_be_chosen(technician: Any, arrive: Arrive) -> None:
    made = arrive(seconds=1)
    day = localtime(Recording.objects.get().listed_at).date()
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    assert listed(technician, f"?since={day}&until={day}") == [made.id]
    assert listed(technician, f"?since={after}") == listed(technician, f"?until={before}") == []
    assert listed(technician, f"?id={made.id[:6]}") == [made.id]
    page = check(technician.get("/recordings/?id=room+12").content.decode())
    assert "its beginning is enough" in page.text
    assert "No recording fits this choice." in page.text
