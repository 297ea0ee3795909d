"""Custody entries as people read them: sentences, in the reader's language, what only a machine reads apart."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from archive.access.deeds import Deed
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.kinds import kinds
from archive.custody.log import record
from archive.custody.models import Entry
from archive.custody.phrases import PHRASES, REFERENCES
from archive.custody.wording import rows
from archive.records.requests.record_of_access import TOLD
from tests.support.archives import Archive


def test_whatever_staff_or_a_parent_is_told_is_told_in_words() -> None:
    """A member without a phrase would show its name, as `not_ready: 2`."""
    assert TOLD.keys() <= kinds().keys()
    unsaid = {code: set(kind.detail) - PHRASES.keys() - REFERENCES for code, kind in kinds().items()}
    assert {code: sorted(members) for code, members in unsaid.items() if members} == {}


def test_no_kind_of_entry_is_called_by_its_code() -> None:
    for code, kind in kinds().items():
        assert kind.words != code
        assert not re.search(r"[_:{}]|\b[a-z]+-[a-z]+-", kind.words), code


@pytest.mark.parametrize("deed", Deed)
def test_a_refusal_says_in_words_what_was_refused(archive: Archive, deed: Deed) -> None:
    record(
        kinds()["refusal"], actor=ARCHIVE, subject=Subject.recording("b" * 32), deed=deed.value, page="x", why="barred"
    )
    (row,) = rows(Entry.objects.filter(code="refusal"))
    said, _, _ = row.detail.partition(";")
    assert said != deed.value
    assert " " in said or said == "listening"


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        ("factor", {"factor": "totp"}, "an authenticator app"),
        (
            "grant",
            {"deed": "hold", "scope": "student", "scope_id": "s"},
            "put recordings on hold, and end holds; for one student",
        ),
        ("retention-answer", {"permanent": True, "years": None, "counts_from": ""}, "for good"),
        (
            "retention-answer",
            {"permanent": False, "years": 7, "counts_from": "left", "on_request": True},
            "from the day on which the student left; a parent may ask for its destruction before; 7 years",
        ),
        ("access-request", {"wish": "link", "student": "s"}, "to listen through a link"),
        ("parent-records", {"answer": "yes"}, "a parent records"),
        ("readiness", {"rooms": 4, "not_ready": 2}, "2 not ready; 4 rooms"),
        ("hold", {"held": "h"}, ""),
        ("incident-changed", {"incident": "i", "cause": "microphone-stalled"}, "The microphone stopped giving sound"),
        ("incident-changed", {"incident": "i", "cause": "no-box"}, "no box"),
    ],
)
def test_an_entry_reads_as_a_sentence_for_staff(
    archive: Archive, code: str, detail: dict[str, str | int | bool | None], said: str
) -> None:
    record(kinds()[code], actor=ARCHIVE, subject=Subject.recording("c" * 32), **detail)
    (row,) = rows(Entry.objects.filter(code=code))
    assert row.detail == said


@pytest.mark.parametrize(
    ("code", "detail", "english", "spanish"),
    [
        (
            "listen",
            {"from_second": 75, "how": "player"},
            "from 1:15 on; with the player of the page",
            "desde 1:15; con el reproductor de la página",
        ),
        (
            "refusal",
            {"deed": "listen", "page": "audio", "why": "barred"},
            "listening; the audio; a court order bars this person",
            "escuchar; el audio; una orden judicial lo impide",
        ),
        ("verify", {"verdict": "intact", "problem": ""}, "it is intact", "está intacta"),
        (
            "download-flac",
            {"documents": 2},
            "documents that went along (2)",
            "documentos que la acompañaron (2)",
        ),
        (
            "transcript-read",
            {"transcript": "t", "version": 2, "searched": True},
            "looking for a word in it; version 2",
            "buscando una palabra en ella; versión 2",
        ),
        ("filed", {"meeting": "m", "filing": "f"}, "", ""),
    ],
)
def test_an_entry_is_a_sentence_in_the_reader_s_language(
    archive: Archive, code: str, detail: dict[str, str | int | bool], english: str, spanish: str
) -> None:
    record(kinds()[code], actor=ARCHIVE, subject=Subject.recording("a" * 32), **detail)
    for language, said in (("en", english), ("es", spanish)):
        with translation.override(language):
            (row,) = rows(Entry.objects.filter(code=code))
        assert row.detail == said
        assert not re.search(r"\w+: ", row.detail)
    if code == "filed":
        assert row.references == "filing f, meeting m"
