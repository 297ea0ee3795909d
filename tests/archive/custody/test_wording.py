"""Custody entries as people read them: sentences, in the reader's language, what only a machine reads apart."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from archive.custody.actors import ARCHIVE, Subject
from archive.custody.kinds import kinds
from archive.custody.log import record
from archive.custody.models import Entry
from archive.custody.phrases import PHRASES, REFERENCES
from archive.custody.wording import rows
from archive.records.requests.record_of_access import TOLD
from tests.support.archives import Archive


@pytest.mark.parametrize("code", TOLD)
def test_whatever_a_parent_is_told_is_told_in_words(code: str) -> None:
    assert set(kinds()[code].detail) <= PHRASES.keys() | REFERENCES


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
