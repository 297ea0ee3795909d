"""One recording's page: facts, timeline, custody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archive.recordings.views import recording as view
from tests.archive.page_fixtures import Arrive, entries, who
from tests.archive.pages import Node, check
from tests.support.archives import Archive, send_start
from tests.support.spools import make_recording


def opened(client: Any, recording: str, below: str = "") -> Node:
    answer = client.get(f"/recordings/{recording}/{below}")
    assert answer.status_code == 200
    return check(answer.content.decode())


def facts(page: Node) -> dict[str, str]:
    return {
        name.text: value.text for name, value in zip(page.one("dl").all("dt"), page.one("dl").all("dd"), strict=True)
    }


def test_the_facts_of_the_signed_header_are_shown(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    told = facts(opened(custodian, made.id))
    assert told["State"] == "sealed"
    assert told["Outcome"] == "complete"
    assert told["Length"] == "0:03 (24000 frames at 8000 Hz)"
    assert told["Sound lost"] == "none"
    assert (told["Room"], told["Box"]) == ("Room 12", archive.keys.box)
    assert told["Clock of the box"] == "kept right by ntp, 0.0 ms off at last look"
    assert told["Button and lamp"] == "simulated: not real"
    assert told["Red lamp"] == "unverified: no sensor is wired to see it"


def test_simulated_is_said_in_words(custodian: Any, sealed: Arrive) -> None:
    page = opened(custodian, sealed(seconds=1).id)
    assert "simulated" in [node.text for node in page.all("span") if "badge" in node.get("class")]
    assert "were not real" in page.text


def test_the_timeline_comes_from_the_sealed_ledger_with_places_to_jump_to(custodian: Any, sealed: Arrive) -> None:
    page = opened(custodian, sealed(seconds=3).id)
    table = page.all("table")[0]
    (audio,) = page.all("audio")
    links = table.all("a")
    assert [link.text for link in links] == ["0:00", "0:00", "0:00", "0:03", "0:03", "0:03"]
    assert [link.get("data-seek") for link in links][-1] == "3.000"
    assert all(link.get("href") == f"{audio.get('src')}#t={link.get('data-seek')}" for link in links)
    assert "Red lamp switched on" in table.text
    assert "Ended: someone held the button. 3 s of audio, nothing lost" in table.text


def test_before_the_seal_there_is_a_timeline_and_nothing_to_listen_to(custodian: Any, arrive: Arrive) -> None:
    page = opened(custodian, arrive(seconds=2, reason=None).id)
    assert not page.all("audio")
    assert "Nobody can listen before the recording is sealed" in page.text
    assert "Audio kept from 0:00 to 0:02" in page.text
    assert not page.all("table")[0].all("a")


def test_a_recording_without_lines_has_a_page(archive: Archive, custodian: Any, tmp_path: Any) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=0, reason=None)
    send_start(archive.client(), made)
    assert "No ledger line has arrived yet." in opened(custodian, made.id).text


def test_every_look_is_an_entry_before_the_page_shows_it(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = opened(custodian, made.id)
    rows = page.all("table")[1].all("tbody")[0].all("tr")
    assert "m.jones looked at a page (page: recording)" in rows[0].text
    assert "the archive sealed, receipt signed" in page.all("table")[1].text
    opened(custodian, made.id)
    looks = entries(made.id, "look")
    assert [(who(entry), json.loads(entry.detail)) for entry in looks] == [("user:m.jones", {"page": "recording"})] * 2


def test_a_long_custody_list_goes_on_on_its_own_page(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "SHOWN", 2)
    made = sealed(seconds=1)
    page = opened(custodian, made.id)
    assert "Only the newest 2 are shown" in page.text
    whole = opened(custodian, made.id, "custody/")
    assert len(whole.one("tbody").all("tr")) == len(entries(made.id))
    assert "looked at a page (page: custody)" in whole.one("tbody").all("tr")[0].text


def test_an_interrupted_recording_shows_its_tail_and_who_continues(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1, reason="interrupted", tail=2)
    after = sealed(seconds=1, continues=made.id)
    page = opened(custodian, made.id)
    told = facts(page)
    assert told["Outcome"] == "interrupted: a crash or a power cut ended it"
    assert told["Unverified tail"].startswith("2 segment(s) that nobody vouches for")
    assert told["Goes on in"] == after.id
    assert facts(opened(custodian, after.id))["Goes on from"] == made.id


def test_a_damaged_package_is_said_on_the_page(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    (package,) = (archive.home / "store" / "packages").rglob("*.zip")
    package.chmod(0o600)
    package.write_bytes(b"nothing")
    assert "The sealed package cannot be read" in opened(custodian, made.id).text


def test_no_page_or_address_of_a_recording_names_a_room_or_person(custodian: Any, sealed: Arrive) -> None:
    page = opened(custodian, sealed(seconds=1).id)
    for node in page.all():
        for name in ("href", "src", "action"):
            assert "Room" not in node.get(name)
            assert "jones" not in node.get(name)


def test_an_unknown_recording_is_a_page_in_words(custodian: Any) -> None:
    answer = custodian.get(f"/recordings/{'0' * 32}/")
    assert answer.status_code == 404
    assert check(answer.content.decode()).one("h1").text == "There is no such recording"
    assert custodian.get("/recordings/0000/").status_code == 404
