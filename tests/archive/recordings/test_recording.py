"""One recording's page: facts, timeline, custody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from archive.custody.actors import ARCHIVE
from archive.devices.enrollment import retire
from archive.recordings.models import Recording
from archive.recordings.recording_state import RecordingState
from archive.recordings.state_words import STATE_WORDS, explain
from archive.recordings.views import recording as view
from archive.ui.signs import SIGNS
from tests.archive.page_fixtures import Arrive, entries, who
from tests.archive.pages import Node, check
from tests.support.archives import Archive, lose_key
from tests.support.box_requests import send, send_start
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
    assert told["How it ended"] == "closed by its box"
    assert told["Length"] == "0:03 (24000 frames at 8000 Hz)"
    assert told["Sound lost"] == "none"
    assert (told["Room"], told["Box"]) == ("Room 12", archive.keys.box)
    assert told["Clock of the box"] == "kept right by ntp, 0.0 ms off when last checked"
    assert told["Button and lamp"] == "simulated: not real"
    assert told["Red lamp"] == "unverified: no sensor is wired to see it"


def test_simulated_is_said_in_words(custodian: Any, sealed: Arrive) -> None:
    page = opened(custodian, sealed(seconds=1).id)
    assert "simulated" in [node.text for node in page.all("span") if "badge" in node.get("class")]
    assert "are not real" in page.text


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


def test_a_lamp_that_failed_and_a_pause_that_goes_on_are_told_as_that(
    archive: Archive, custodian: Any, tmp_path: Any
) -> None:
    made = make_recording(
        tmp_path, archive.keys, seconds=1, reason=None, rate=8000, segment_frames=8000, about={"lamp": "verified"}
    )
    made.note("audio", open=False, at_ns=made.now_ns, generation=1)
    made.note("pause", frame=8000, paused=True)
    made.now_ns += 10**9
    made.note("lamp", lit=False, commanded_ns=made.now_ns, seen_ns=None)
    send(archive.client(), made)
    table = opened(custodian, made.id).all("table")[0]
    (serious,) = [row.text for row in table.all("tr") if row.get("class") == "serious"]
    assert "Red lamp switched off, but the sensor did not see it go out" in serious
    assert "no sensor is wired" not in table.text
    assert "Paused, and not resumed so far" in table.text


def test_before_the_seal_there_is_a_timeline_and_nothing_to_listen_to(custodian: Any, arrive: Arrive) -> None:
    page = opened(custodian, arrive(seconds=2, reason=None).id)
    assert not page.all("audio")
    assert "You can listen once everything has arrived and is sealed" in page.text
    assert "Audio kept from 0:00 to 0:02" in page.text
    assert not page.all("table")[0].all("a")


def test_a_recording_without_lines_has_a_page(archive: Archive, custodian: Any, tmp_path: Any) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=0, reason=None)
    send_start(archive.client(), made)
    assert "The meeting is still running, or its box has not sent everything yet." in opened(custodian, made.id).text


def test_every_look_is_an_entry_before_the_page_shows_it(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = opened(custodian, made.id)
    deeds, looks_table = page.all("table")[1:]
    assert re.search(
        r"m\.jones Looked at a page: the recording.s own page", looks_table.all("tbody")[0].all("tr")[0].text
    )
    assert "the archive Sealed, receipt signed" in deeds.text
    assert "Looked at a page" not in deeds.text, "looks are folded away"
    opened(custodian, made.id)
    looks = entries(made.id, "look")
    assert [(who(entry), json.loads(entry.detail)) for entry in looks] == [("user:m.jones", {"page": "recording"})] * 2


def test_a_long_custody_list_goes_on_on_its_own_page(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "SHOWN", 2)
    made = sealed(seconds=1)
    page = opened(custodian, made.id)
    assert "Only the newest 2 entries are shown" in page.text
    whole = opened(custodian, made.id, "custody/")
    assert len(whole.one("tbody").all("tr")) == len(entries(made.id))
    assert "Looked at a page: the page of the custody log" in whole.one("tbody").all("tr")[0].text


def test_an_interrupted_recording_shows_its_tail_and_who_continues(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1, reason="interrupted", tail=2)
    after = sealed(seconds=1, continues=made.id)
    page = opened(custodian, made.id)
    told = facts(page)
    assert told["How it ended"] == "interrupted by a crash or a power cut"
    assert told["Unverified tail"].startswith("2 segments that the box had not signed")
    assert told["Continued by"] == after.id
    assert facts(opened(custodian, after.id))["Continues"] == made.id
    assert "interrupted by a crash or a power cut" in badges(page)


def badges(page: Node) -> list[str]:
    return [node.text for node in page.all("span") if "badge" in node.get("class")]


def sign(page: Node) -> tuple[str, str]:
    """The code of the page's first sign, and its words."""
    found = next(node for node in page.all("span") if node.get("class").startswith("sign "))
    return found.get("class").split("sign-")[1], found.text


def test_the_heading_says_room_day_and_times(custodian: Any, sealed: Arrive) -> None:
    page = opened(custodian, sealed(seconds=3).id)
    assert re.fullmatch(
        r"Room 12, \w{3} \w{3} \d{1,2} \d{4}, (\d{1,2}:\d\d( [ap]m)? to )?\d{1,2}:\d\d [ap]m C[SD]T",
        page.one("h1").text,
    )
    assert sign(page) == ("ready", "Sealed")
    assert badges(page) == ["simulated", "lamp unverified"]


def test_what_is_not_normal_stands_beside_the_state(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    Recording.objects.update(end_reason="fault", lost_frames=15 * 8000, damaged_segments=1)
    told = badges(opened(custodian, made.id))
    assert told[:3] == ["ended by a fault of the box", "15 s lost", "1 damaged second"]
    listed = check(custodian.get("/recordings/").content.decode())
    assert badges(listed)[:3] == told[:3]


def test_a_recording_whose_key_is_gone_has_no_player_and_says_so(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    lose_key(made.id)
    page = opened(custodian, made.id)
    assert sign(page) == ("at-fault", "Key missing")
    assert "Nobody can listen: the key of this recording is not in the key store." in page.text
    assert not page.all("audio")
    assert "Download the unencrypted audio" not in opened(custodian, made.id, "copies/").text
    assert "Key missing" in check(custodian.get("/recordings/").content.decode()).text


def test_a_recording_whose_package_is_gone_has_no_player_no_copies_and_no_path(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    (package,) = (archive.home / "store" / "packages").rglob("*.zip")
    package.unlink()
    page = opened(custodian, made.id)
    assert sign(page) == ("at-fault", "Package missing")
    assert not page.all("audio")
    assert not [link for link in page.all("a") if "copies" in link.get("href")]
    assert str(archive.home) not in page.text
    for below in ("copies/", "package.zip", "audio.flac"):
        answer = custodian.get(f"/recordings/{made.id}/{below}")
        assert answer.status_code == 503
        assert check(answer.content.decode()).one("h1").text == "The sealed package is missing"
        assert str(archive.home) not in answer.content.decode()


def test_a_retired_box_s_recording_is_not_said_to_arrive(archive: Archive, custodian: Any, arrive: Arrive) -> None:
    made = arrive(seconds=2, reason=None)
    retire(archive.keys.box, by=ARCHIVE)
    page = opened(custodian, made.id)
    assert sign(page) == ("attention", "Stopped: box retired")
    assert "make the box known again (add-box; no new claim)" in page.text
    assert "seal the recording as it is (seal --incomplete)" in page.text
    assert "Stopped: box retired" in check(custodian.get("/recordings/").content.decode()).text


def test_what_a_retired_box_s_recording_says_to_do_brings_it_on(
    archive: Archive, custodian: Any, arrive: Arrive
) -> None:
    made = arrive(seconds=2, reason=None)
    archive.run("retire", archive.keys.box)
    ((box, (key,)),) = json.loads(archive.run("keyring").stdout)["boxes"].items()
    archive.run("add-box", box, "--public-key", key)
    assert sign(opened(custodian, made.id)) == ("working", "Arriving"), "what its box still has is taken again"
    archive.run("retire", archive.keys.box)
    archive.run("seal", made.id, "--incomplete")
    assert sign(opened(custodian, made.id)) == ("ready", "Sealed")


def test_a_seal_that_fails_is_said_with_its_reason(custodian: Any, arrive: Arrive) -> None:
    made = arrive(seconds=1)
    assert sign(opened(custodian, made.id)) == ("working", "Being sealed")
    Recording.objects.update(problem="the disk is full")
    page = opened(custodian, made.id)
    assert sign(page) == ("at-fault", "Sealing fails")
    assert "sealing fails, so nobody can listen yet: the disk is full. Tell your administrator." in page.text


def test_every_state_has_words_of_its_own_and_a_sign() -> None:
    assert set(STATE_WORDS) == set(RecordingState)
    assert len({told.word for told in STATE_WORDS.values()}) == len(STATE_WORDS)
    for state, told in STATE_WORDS.items():
        assert told.sign in SIGNS
        assert told.sign != "recording"
        assert bool(explain(state, problem="it broke", contact="Pat Doe")) == (state != RecordingState.SEALED)


def test_a_box_that_boots_in_1970_does_not_date_its_recording(custodian: Any, arrive: Arrive) -> None:
    made = arrive(seconds=1, created_at="1970-01-01T00:00:31.000Z")
    page = opened(custodian, made.id)
    assert "date not known" in page.one("h1").text
    assert "1969" not in page.one("h1").text
    assert "Date not known, arrived" in check(custodian.get("/recordings/").content.decode()).text


@pytest.mark.parametrize(("made_at", "zone", "other"), [("2026-07-09", "CDT", "CST"), ("2026-01-08", "CST", "CDT")])
def test_what_a_box_sends_months_later_is_dated_and_its_times_are_of_their_own_season(
    custodian: Any, sealed: Arrive, made_at: str, zone: str, other: str
) -> None:
    made = sealed(seconds=1, created_at=f"{made_at}T18:05:00.000Z")
    page = opened(custodian, made.id)
    assert page.one("h1").text.endswith(f"pm {zone}")
    assert "clock was wrong" not in page.text
    timeline = page.all("table")[0].text
    assert f"pm {zone}" in timeline
    assert other not in timeline
    listed = check(custodian.get("/recordings/").content.decode()).one("tbody").text
    assert f"pm {zone}" in listed
    assert other not in listed


def test_a_damaged_package_is_said_on_the_page(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    (package,) = (archive.home / "store" / "packages").rglob("*.zip")
    package.chmod(0o600)
    package.write_bytes(b"nothing")
    page = opened(custodian, made.id)
    assert sign(page) == ("at-fault", "Damaged")
    assert "The sealed package is damaged: it cannot be read" in page.text
    assert not page.all("audio")


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
