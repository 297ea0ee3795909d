"""Transcripts: bound, versioned, drafts until somebody answers, read by whoever may hear, gone with the recording."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.errors import DeedError
from archive.records.restrictions.deeds import restrict
from archive.records.transcripts import deeds
from archive.records.transcripts.models import Transcript
from archive.records.transcripts.reach import cues_of
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive

from .scene import FACTS, SECRET, VTT, bring, form, place


def test_each_version_is_bound_kept_encrypted_and_never_overwritten(row: Recording, ann: User) -> None:
    first, second = bring(row, ann), bring(row, ann, VTT.replace(b"me.", b"you."))
    assert (first.version, second.version) == (1, 2)
    assert {first.package_sha256, second.package_sha256} == {row.package_sha256}
    assert cues_of(first)[1].text == "Between you and me."
    assert cues_of(second)[1].text == "Between you and you."
    assert SECRET.encode() not in bytes(first.encrypted)
    for change in ("version = 9", "sha256 = 'x'", "encrypted = 'x'", "maker = 'x'", "package_sha256 = 'x'"):
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE transcripts_transcript SET {change}")
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        Transcript.objects.all().delete()


def test_no_word_of_it_stands_in_the_log_or_the_tables(
    row: Recording, ann: User, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = signed_in(archive, "reader", role="custodian")
    made = bring(row, ann)
    client.post(place(row), {"words": SECRET})
    deeds.answer(row.pk, made.version, "A. Ruiz", by=ann)
    b"".join(client.get(f"/recordings/{row.pk}/audio.flac"))
    entry = next(one for one in entries(row.pk, "transcript"))
    assert (entry.member("sha256"), entry.member("cues")) == (made.sha256, 3)
    told = "".join(one.detail for one in Entry.objects.all()) + caplog.text
    assert SECRET not in told
    assert "Heartland" not in told
    database = archive.database_bytes()
    assert SECRET.encode() not in database
    assert made.sha256.encode() in database


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"file": None}, "This field is required."),
    "an empty file": ({"file": b""}, "empty"),
    "another kind of file": ({"file": b"%PDF-1.7"}, "begins with the word WEBVTT"),
    "too large": ({"file": b"WEBVTT\n" * 400_000}, "larger than 2 MB"),
    "markup": ({"file": b"WEBVTT\n\n00:01.000 --> 00:02.000\n<script>x</script>\n"}, "no markup of WebVTT"),
    "beyond the end": ({"file": b"WEBVTT\n\n09:01.000 --> 09:02.000\nx\n"}, "beyond the end of the recording"),
    "a shift": ({"shift": "later"}, "Write it as h:mm:ss"),
    "before the begin": ({"shift": "-0:00:05"}, "before the recording began"),
    "no maker": ({"maker": ""}, "This field is required."),
    "a maker that nobody can see": ({"maker": "a\u202eb"}, "nobody can see"),
    "the computer's": ({"source": "machine"}, "Select a valid choice"),
    "a language": ({"language": "xx"}, "Select a valid choice"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(
    archive: Archive, row: Recording, case: str
) -> None:
    other, told = WRONG[case]
    client = signed_in(archive, "carol", role="custodian")
    answer = client.post(f"/recordings/{row.pk}/transcripts/new/", form(**other))
    assert answer.status_code == 422
    page = check(answer.content.decode())
    assert told in page.text
    if "maker" not in other:
        assert [one.get("value") for one in page.all("input") if one.get("name") == "maker"] == ["Heartland Captions"]
    assert not Transcript.objects.exists()


def test_the_pages_add_answer_and_set_aside(archive: Archive, row: Recording) -> None:
    client = signed_in(archive, "carol", role="custodian")
    new = f"/recordings/{row.pk}/transcripts/new/"
    check(client.get(new).content.decode())
    page = check(client.post(new, form(), follow=True).content.decode())
    assert "added as version 1, with 3 cues: a draft" in page.text
    assert "Read the transcript while it plays" in page.text
    client.post(new, form())
    assert Transcript.objects.count() == 1, "a second sending of the same form does nothing"
    again = client.post(new, form(once="b" * 32))
    assert again.status_code == 422
    assert "here already, as version 1" in again.content.decode()

    address = f"/recordings/{row.pk}/transcripts/1/answer/"
    check(client.get(address).content.decode())
    for wrong in ({"name": "A. Ruiz"}, {"compared": "on"}, {"name": " ", "compared": "on"}):
        assert client.post(address, {**wrong, "once": "c" * 32}).status_code == 422
    typed = {"name": "A. Ruiz, director", "compared": "on"}
    page = check(client.post(address, {**typed, "once": "d" * 32}, follow=True).content.decode())
    assert "answered for by A. Ruiz, director" in page.text
    stale = client.post(address, {**typed, "once": "e" * 32})
    assert stale.status_code == 422
    assert "A. Ruiz, director answers for it already" in stale.content.decode()

    address = f"/recordings/{row.pk}/transcripts/1/set-aside/"
    check(client.get(address).content.decode())
    assert client.post(address, {"once": "f" * 32}).status_code == 422
    page = check(client.post(address, {"reason": "of another meeting", "once": "1" * 32}, follow=True).content.decode())
    assert "of another meeting" in page.text
    assert "Read the transcript while it plays" not in page.text
    assert client.get(place(row)).status_code == 404
    check(client.get(f"/recordings/{row.pk}/transcripts/1/").content.decode())
    assert client.post(address, {"reason": "x", "once": "2" * 32}).status_code == 422
    codes = [one.code for one in entries(row.pk) if one.code.startswith("transcript")]
    assert codes == ["transcript", "transcript-answered", "transcript-set-aside", "transcript-read"]
    assert not [one for one in contradictions() if "transcript" in one]


def test_only_who_may_hear_all_of_it_answers_for_it(archive: Archive, row: Recording, ann: User) -> None:
    bring(row, ann)
    restrict(row.pk, 0, RATE, "x", by=make_user("director", Deed.RESTRICT))
    for who in (ann, make_user("deaf", Deed.TRANSCRIBE)):
        with pytest.raises(DeedError, match="may hear the whole recording"):
            deeds.answer(row.pk, 1, "A. Ruiz", by=who)
    deeds.answer(row.pk, 1, "A. Ruiz", by=make_user("eve", Deed.TRANSCRIBE, Deed.LISTEN, Deed.RESTRICT))
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        Transcript.objects.update(answered_name="somebody else")


def test_before_the_seal_there_is_nothing_to_bind_it_to(archive: Archive, arrive: Arrive, ann: User) -> None:
    open_one = arrive(seconds=2)
    with pytest.raises(DeedError, match="not sealed yet"):
        deeds.bring(open_one.id, VTT, 0, FACTS, deeds.recipient_of(open_one.id), by=ann)
    client = signed_in(archive, "carol", role="custodian")
    assert "Add a transcript" not in client.get(f"/recordings/{open_one.id}/").content.decode()
    answer = client.post(f"/recordings/{open_one.id}/transcripts/new/", form())
    assert answer.status_code == 422
    assert "not sealed yet" in answer.content.decode()
