"""Transcripts: bound, versioned, drafts until somebody answers, read by whoever may hear, gone with the recording."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from appliance.contract.errors import DecryptionError, DigestError
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.recording_keys import recording_keys
from archive.recordings.companions import companions_of
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.holds.models import Held
from archive.records.requests.record_of_access import record_of_access
from archive.records.restrictions.deeds import restrict
from archive.records.transcripts import deeds
from archive.records.transcripts.deeds import Facts
from archive.records.transcripts.models import Language, Source, Transcript
from archive.records.transcripts.reach import copies_of, cues_of
from archive.records.transcripts.webvtt import TranscriptFileError, read
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene, refresh
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_hold,
    make_matter,
    make_meeting,
    make_person,
    make_student,
)
from tests.support.archives import Archive, change_as_owner, without_triggers

SECRET = "Marigold"
"""A word that stands in the transcripts here and must stand nowhere else."""
VTT = f"""WEBVTT

00:01.000 --> 00:02.000
<v Ms. Lee>Good morning, {SECRET}.

00:14.000 --> 00:16.000
Between you and me.

00:29.000 --> 00:30.000
The goals & <b>services</b>, Núñez.
""".encode()
FACTS = Facts(Source.VENDOR, Language.EN, "Heartland Captions")


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    return Recording.objects.get(pk=sealed(seconds=31).id)


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.TRANSCRIBE, Deed.LISTEN)


def bring(row: Recording, by: User, data: bytes = VTT, shift_ms: int = 0, facts: Facts = FACTS) -> Transcript:
    return deeds.bring(row.pk, data, shift_ms, facts, deeds.recipient_of(row.pk), by=by)


def answered(row: Recording, by: User, data: bytes = VTT, facts: Facts = FACTS) -> Transcript:
    return deeds.answer(row.pk, bring(row, by, data, facts=facts).version, "A. Ruiz, director", by=by)


def place(row: Recording, rest: str = "") -> str:
    return f"/recordings/{row.pk}/transcript{rest}/"


def words(page: Any) -> list[str]:
    (cues,) = [one for one in page.all("ol") if one.get("class") == "cues"]
    return ["".join(one.all("span")[0].text_parts) for one in cues.all("li")]


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


def form(**other: Any) -> dict[str, Any]:
    typed = {"file": VTT, "source": "vendor", "maker": "Heartland Captions", "language": "en", "shift": "0:00:00"}
    sent = {**typed, "once": "a" * 32, **other}
    if sent["file"] is None:
        return {name: value for name, value in sent.items() if name != "file"}
    return {**sent, "file": SimpleUploadedFile("../meeting <1>.vtt", sent["file"])}


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


def test_it_ends_with_the_recording_s_key(archive: Archive, row: Recording, ann: User) -> None:
    made = answered(row, ann)
    (archive.home / "recording-keys" / f"{row.pk}.age").unlink()
    assert not recording_keys().exists(row.pk)
    with pytest.raises(DecryptionError):
        cues_of(made)
    assert copies_of(row, None) == []
    assert companions_of(row, None) == []
    client = signed_in(archive, "carol", role="custodian")
    assert client.get(place(row)).status_code == 400
    assert not entries(row.pk, "transcript-read")
    again = client.post(f"/recordings/{row.pk}/transcripts/new/", form(file=VTT.replace(b"me", b"us")))
    assert again.status_code == 422


def test_destruction_removes_every_version_and_what_names_somebody(archive: Archive, sealed: Arrive) -> None:
    scene = make_scene(sealed(seconds=31).id)
    ann = make_user("amy", Deed.TRANSCRIBE, Deed.LISTEN)
    answered(scene.row, ann)
    made = scene.approved()
    destruction_deeds.carry_out(made.pk, by=scene.ann)
    assert not Transcript.objects.exists()
    made.refresh_from_db()
    assert made.removed["transcripts"] == 1
    row = refresh(scene.row)
    with pytest.raises(DestroyedError):
        deeds.bring(row.pk, VTT, 0, FACTS, deeds.recipient_of(row.pk), by=ann)
    client = signed_in(archive, "carol", role="custodian")
    assert client.get(place(row)).status_code == 410
    assert client.get(f"/recordings/{row.pk}/transcripts/new/").status_code == 410
    assert "Heartland" not in "".join(Entry.objects.about(Subject.recording(row.pk)).values_list("detail", flat=True))
    assert not [one for one in contradictions() if "transcript" in one]


def test_a_hold_keeps_every_version_and_hinders_nobody_from_reading(
    archive: Archive, row: Recording, ann: User
) -> None:
    bring(row, ann)
    make_hold(make_matter(), recording=row)
    assert Held.objects.exists()
    bring(row, ann, VTT.replace(b"me", b"us"))
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 200
    with pytest.raises(IntegrityError), transaction.atomic():
        Transcript.objects.all().delete()


CHANGES: dict[str, tuple[str, str]] = {
    "gone": ("DELETE FROM transcripts_transcript", "was added, and is gone"),
    "answered for by nobody": (
        "UPDATE transcripts_transcript SET answered_at = CURRENT_TIMESTAMP, answered_name = 'x'",
        "differ on whether somebody answered",
    ),
    "another": ("UPDATE transcripts_transcript SET sha256 = 'x'", "is not the one that was added"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_the_log_contradicts_whoever_goes_around_the_deeds(row: Recording, ann: User, case: str) -> None:
    change, told = CHANGES[case]
    bring(row, ann)
    assert not [one for one in contradictions() if "transcript" in one]
    change_as_owner(change)
    assert [one for one in contradictions() if told in one]


def test_a_text_that_was_swapped_is_not_shown(archive: Archive, row: Recording, ann: User) -> None:
    first = bring(row, ann)
    second = bring(row, ann, VTT.replace(b"me", b"us"))
    with without_triggers():
        Transcript.objects.filter(pk=second.pk).update(encrypted=first.encrypted)
    second.refresh_from_db()
    with pytest.raises(DigestError, match="version 2"):
        cues_of(second)
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 400


def test_what_was_written_from_another_package_is_not_shown(archive: Archive, row: Recording, ann: User) -> None:
    answered(row, ann)
    Recording.objects.filter(pk=row.pk).update(package_sha256="0" * 64)
    row.refresh_from_db()
    assert copies_of(row, None) == []
    assert signed_in(archive, "teacher", Deed.LISTEN).get(place(row)).status_code == 404
    page = check(signed_in(archive, "carol", role="custodian").get(f"/recordings/{row.pk}/").content.decode())
    assert "It was written from another package" in page.text


def test_a_crash_inside_a_deed_leaves_the_old_state(row: Recording, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Entry.objects.count()

    def crash(*_: Any, **__: Any) -> None:
        raise OSError

    steps: dict[str, Callable[[], object]] = {
        "bring": lambda: bring(row, ann),
        "answer": lambda: deeds.answer(row.pk, 1, "A. Ruiz", by=ann),
        "set aside": lambda: deeds.set_aside(row.pk, 1, "x", by=ann),
    }
    for step in steps.values():
        monkeypatch.setattr(Transcript, "save", crash)
        count, standing = Entry.objects.count(), list(Transcript.objects.values("answered_at", "set_aside_at"))
        with pytest.raises(OSError):  # noqa: PT011 - any
            step()
        assert Entry.objects.count() == count
        assert list(Transcript.objects.values("answered_at", "set_aside_at")) == standing
        monkeypatch.undo()
        step()
    assert Entry.objects.count() == before + 3


def test_nothing_here_is_answered_for_or_set_aside(row: Recording, ann: User) -> None:
    for deed in (deeds.answer, deeds.set_aside):
        with pytest.raises(UnknownRecordError):
            deed(row.pk, 1, "x", by=ann)
    with pytest.raises(TranscriptFileError):
        bring(row, ann, b"")


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
