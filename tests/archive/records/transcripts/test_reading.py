"""A transcript is read beside the player by whoever may hear what it says, after an entry."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from django.utils import translation

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.requests.record_of_access import record_of_access
from archive.records.restrictions.deeds import restrict
from archive.records.transcripts import deeds
from archive.records.transcripts.deeds import Facts
from archive.records.transcripts.models import Language, Source
from archive.records.transcripts.reach import cues_of
from archive.records.transcripts.webvtt import read
from tests.archive.page_fixtures import RATE, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_meeting,
    make_person,
    make_student,
)
from tests.support.archives import Archive

from .scene import SECRET, VTT, answered, bring, place


def words(page: Any) -> list[str]:
    (cues,) = [one for one in page.all("ol") if one.get("class") == "cues"]
    return ["".join(one.all("span")[0].text_parts) for one in cues.all("li")]


def test_it_is_read_beside_the_player_after_an_entry(archive: Archive, row: Recording, ann: User) -> None:
    bring(row, ann)
    client = signed_in(archive, "teacher", Deed.LISTEN, Deed.LOOK)
    page = check(client.get(place(row)).content.decode())
    assert words(page) == [f"Ms. Lee: Good morning, {SECRET}.", "Between you and me.", "The goals & services, Núñez."]
    links = [one for one in page.all("a") if "data-seek" in one.attributes]
    assert [one.text for one in links] == ["0:01", "0:14", "0:29"]
    assert links[1].get("href").startswith(f"/recordings/{row.pk}/audio.wav?view=")
    assert links[1].get("href").endswith("#t=14.000"), "a time is a link that plays, also without scripts"
    assert "no evidence" in page.text
    assert "not part of the IEP" in page.text
    assert "Draft: nobody has compared it" in page.text
    assert len(page.all("audio")) == 1
    (entry,) = entries(row.pk, "transcript-read")
    assert (entry.member("version"), entry.member("searched")) == (1, False)
    client.head(place(row))
    assert len(entries(row.pk, "transcript-read")) == 2


def test_words_are_found_on_the_server_too_and_stand_in_no_address(archive: Archive, row: Recording, ann: User) -> None:
    bring(row, ann)
    client = signed_in(archive, "teacher", Deed.LISTEN)
    (search,) = [
        one for one in check(client.get(place(row)).content.decode()).all("form") if one.get("role") == "search"
    ]
    assert (search.get("method"), search.get("action")) == ("post", place(row))
    page = check(client.post(place(row), {"words": "NUNEZ"}).content.decode())
    assert words(page) == ["The goals & services, Núñez."]
    assert [one.text for one in page.all("mark")] == ["Núñez"]
    assert "1 place with “NUNEZ”." in page.text
    page = check(client.post(place(row), {"words": "<b>"}).content.decode())
    assert words(page) == []
    assert "0 places with “<b>”." in page.text
    for odd in ("", "x" * 101, "a\u202eb", "\x00"):
        assert client.post(place(row), {"words": odd}).status_code == 200, odd
    assert [one.member("searched") for one in entries(row.pk, "transcript-read")][:3] == [False, True, True]


def test_a_restricted_passage_is_read_by_nobody_who_may_not_hear_it(
    archive: Archive, row: Recording, ann: User
) -> None:
    answered(row, ann)
    restrict(row.pk, 15 * RATE, 16 * RATE, "confidential", by=make_user("director", Deed.RESTRICT))
    teacher = signed_in(archive, "teacher", Deed.LISTEN, Deed.DOWNLOAD)
    page = check(teacher.get(place(row)).content.decode())
    assert words(page) == [f"Ms. Lee: Good morning, {SECRET}.", "The goals & services, Núñez."]
    assert "Some text is left out" in page.text
    assert words(check(teacher.post(place(row), {"words": "between"}).content.decode())) == []
    for answer in (teacher.get(f"/recordings/{row.pk}/transcripts/1/transcript.vtt"),):
        assert b"Between" not in answer.content
        assert b"Text is left out" in answer.content
    with zipfile.ZipFile(io.BytesIO(teacher.get(f"/recordings/{row.pk}/audio.flac").getvalue())) as copy:
        assert b"Between" not in copy.read("transcript-1-en.vtt")
        assert b"Good morning" in copy.read("transcript-1-en.vtt")
    director = signed_in(archive, "dana", role="custodian")
    assert len(words(check(director.get(place(row)).content.decode()))) == 3


def test_a_parent_reads_the_part_about_the_own_child_and_a_barred_one_nothing(
    archive: Archive, row: Recording, ann: User
) -> None:
    answered(row, ann)
    mine, other = make_student("Ana"), make_student("Ben")
    make_filing(row.pk, make_meeting(mine), first_frame=0, last_frame=12 * RATE)
    make_filing(row.pk, make_meeting(other), first_frame=12 * RATE, last_frame=None)
    parent, barred = make_person("Rosa"), make_person("Luis")
    for person in (parent, barred):
        grant_student(make_account(person), mine, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    make_bar(barred, mine)
    assert parent.user is not None
    assert barred.user is not None
    client = archive.client()
    client.force_login(parent.user)
    page = check(client.get(f"/recordings/{row.pk}/").content.decode())
    assert "Read the transcript while it plays" in page.text
    assert words(check(client.get(place(row)).content.decode())) == [f"Ms. Lee: Good morning, {SECRET}."]
    client.cookies.load({"language": "es"})
    page = check(client.get(place(row)).content.decode(), language="es")
    assert "no es una prueba" in page.text
    assert "Ms. Lee: Good morning" in page.text
    assert b"Between" not in client.get(f"/recordings/{row.pk}/transcripts/1/transcript.vtt").content
    with translation.override("en"):
        told = {one.what for one in record_of_access(mine)}
    assert {"read the transcript", "took a copy of the transcript"} <= told
    client.force_login(barred.user)
    for address in (
        place(row),
        f"/recordings/{row.pk}/transcripts/1/",
        f"/recordings/{row.pk}/transcripts/1/transcript.vtt",
    ):
        assert client.get(address).status_code == 403
    assert {one.member("why") for one in entries(row.pk, "refusal")} == {"barred"}


def test_who_may_not_listen_reads_nothing_and_sees_no_way_to_it(archive: Archive, row: Recording, ann: User) -> None:
    bring(row, ann)
    client = signed_in(archive, "it.support", Deed.LOOK, Deed.LIST, Deed.DOWNLOAD, role="technician")
    assert client.get(place(row)).status_code == 403
    page = check(client.get(f"/recordings/{row.pk}/").content.decode())
    assert "transcript" not in page.text.lower()
    assert not entries(row.pk, "transcript-read")


def test_a_copy_carries_what_somebody_answers_for_with_its_notice_and_no_draft(
    archive: Archive, row: Recording, ann: User
) -> None:
    client = signed_in(archive, "reader", role="custodian")
    bring(row, ann)
    assert client.get(f"/recordings/{row.pk}/audio.flac").headers["Content-Type"] == "audio/flac"
    assert client.get(f"/recordings/{row.pk}/package.zip").headers["ETag"] == f'"{row.package_sha256}"'
    deeds.answer(row.pk, 1, "A. Ruiz, director", by=ann)
    answered(row, ann, VTT.replace(b"goals", b"aims"))
    answered(row, ann, VTT.replace(b"goals", b"metas"), Facts(Source.PERSON, Language.ES, "I. Vega"))
    bring(row, ann, VTT.replace(b"goals", b"gaols"))
    for name in ("audio.flac", "package.zip"):
        with zipfile.ZipFile(io.BytesIO(client.get(f"/recordings/{row.pk}/{name}").getvalue())) as copy:
            names = [one for one in copy.namelist() if one.endswith(".vtt")]
            held = {one: copy.read(one) for one in names}
        assert names == ["transcript-3-es.vtt", "transcript-2-en.vtt"]
        assert b"The aims &amp; services" in held["transcript-2-en.vtt"]
        for one in held.values():
            assert b"is no evidence" in one
            assert b"not part of the IEP" in one or b"It is not\npart" in one
            assert b"answered for by A. Ruiz, director" in one
            assert row.package_sha256.encode() in one
            assert len(read(one)) == 3
    page = check(client.get(f"/recordings/{row.pk}/copies/").content.decode())
    assert "transcript-2-en.vtt" in page.text


def test_a_download_says_that_it_is_a_draft(archive: Archive, row: Recording, ann: User) -> None:
    made = bring(row, ann)
    client = signed_in(archive, "reader", role="custodian")
    address = f"/recordings/{row.pk}/transcripts/1/transcript.vtt"
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert b"Draft: nobody has compared it" in answer.content
    assert read(answer.content) == cues_of(made)
    assert len(entries(row.pk, "transcript-taken")) == 1
    client.head(address)
    assert len(entries(row.pk, "transcript-taken")) == 1
    assert client.get(address.replace("/1/", "/2/")).status_code == 404
    assert client.get(address.replace("/1/", "/99999999999999999999/")).status_code == 404


def test_the_page_of_a_long_transcript_stays_small_and_all_of_it_is_found(
    archive: Archive, row: Recording, ann: User
) -> None:
    """Four hours of talk are some 4,800 cues."""
    lines = [
        f"00:00.{n // 8:03d} --> 00:01.000\nMs. Lee: this is what somebody says in sentence {n}.\n" for n in range(4800)
    ]
    data = "\n".join(["WEBVTT\n", *lines]).encode()
    deeds.bring(row.pk, data, 0, Facts(Source.CART, Language.EN, "a captioner"), deeds.recipient_of(row.pk), by=ann)
    client = signed_in(archive, "teacher", Deed.LISTEN)
    seen: list[str] = []
    for part in range(24):
        answer = client.get(f"{place(row)}?part={part}").content
        assert len(answer) < 100_000
        seen += words(check(answer.decode()))
    assert len(seen) == 4800
    for odd in ("24", "-1", "x", "9" * 9):
        assert words(check(client.get(f"{place(row)}?part={odd}").content.decode()))[0].endswith("sentence 0.")
    found = check(client.post(place(row), {"words": "sentence 4799"}).content.decode())
    assert len(words(found)) == 1
    many = client.post(place(row), {"words": "somebody"}).content
    assert "4800 places" in many.decode()
    assert len(many) < 100_000
