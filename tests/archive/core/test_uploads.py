"""A file that a form sends is kept in memory alone, and one that is too large is refused at its field, in words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile

import archive.urls  # noqa: F401 - so that every form of every page is there
from archive.core.uploads import FORM, LARGEST, UploadField
from archive.records.disclosures.models import Consent
from archive.records.people.models import ImportRun
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_meeting, make_person, make_right, make_student
from tests.support.archives import Archive

PDF = b"%PDF-1.7\n"
MB = 1 << 20
TYPED = {
    "person": "Rosa Torres",
    "records": "the recording",
    "purpose": "an evaluation by Dr. Lee",
    "party": "Dr. Lee",
    "signed_on": "2026-11-02",
    "how": "paper",
    "proof": "file 12",
}


def kinds(of: Any) -> Iterator[Any]:
    for one in of.__subclasses__():
        yield one
        yield from kinds(one)


def test_every_field_for_a_file_is_one_that_tells_what_was_too_large() -> None:
    """Django's own would take what the handler left of a large file for an empty or a whole one."""
    fields = {
        f"{form.__module__}.{form.__name__}.{name}": field
        for form in kinds(forms.Form)
        if form.__module__.startswith("archive.")
        for name, field in form.base_fields.items()
        if isinstance(field, forms.FileField)
    }
    assert len(fields) == 4, sorted(fields)
    assert all(isinstance(field, UploadField) and field.most <= LARGEST for field in fields.values()), fields


def test_every_form_that_is_filled_to_its_limits_arrives_in_any_script() -> None:
    longest = {
        f"{form.__module__}.{form.__name__}": sum(getattr(field, "max_length", None) or 0 for field in fields.values())
        for form in kinds(forms.BaseForm)
        if form.__module__.startswith("archive.") and (fields := getattr(form, "base_fields", None))
    }
    assert max(longest.values()) > 20_000
    assert not {name: characters for name, characters in longest.items() if characters * len("%F0%9F%8E%99") > FORM}


Post = Callable[..., Any]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Post:
    """Send a form; whatever asks for a temporary file meanwhile gets an error."""

    def send(client: Any, address: str, fields: dict[str, Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
            return client.post(address, {**fields, "once": "a" * 32})

    return send


def consent_page(archive: Archive, recording: str) -> tuple[Any, str, dict[str, str]]:
    student, parent = make_student("Ana", "Torres"), make_person("Rosa", "Torres")
    make_right(parent, student)
    make_filing(recording, make_meeting(student))
    client = signed_in(archive, "carol", role="custodian")
    return client, f"/recordings/{recording}/consents/new/", {**TYPED, "student": str(student.pk)}


def test_a_scan_of_3_mb_makes_no_temporary_file(archive: Archive, sealed: Arrive, post: Post) -> None:
    client, address, typed = consent_page(archive, sealed(seconds=1).id)
    data = PDF + bytes(3 * MB)
    sent = {**typed, "scan": SimpleUploadedFile("paper.pdf", data, "application/pdf")}
    assert post(client, address, sent).status_code == 302
    assert bytes(Consent.objects.get().scan or b"") == data


@pytest.mark.parametrize(("size", "most"), [(6 * MB, 5), (11 * MB, 5)])
def test_a_scan_that_is_too_large_is_refused_at_its_field_and_what_was_typed_is_kept(
    archive: Archive, sealed: Arrive, post: Post, size: int, most: int
) -> None:
    client, address, typed = consent_page(archive, sealed(seconds=1).id)
    sent = {**typed, "scan": SimpleUploadedFile("paper.pdf", PDF + bytes(size), "application/pdf")}
    answer = post(client, address, sent)
    assert answer.status_code == 422
    page = check(answer.content.decode())
    assert f"The file is larger than {most} MB. Choose a smaller one." in page.text
    assert "an evaluation by Dr. Lee" in answer.content.decode()
    assert not Consent.objects.exists()


def test_a_roster_of_11_mb_is_refused_at_its_field(archive: Archive, post: Post) -> None:
    client = signed_in(archive, "carol", role="custodian")
    file = SimpleUploadedFile("roster.csv", b"x" * (11 * MB), "text/csv")
    answer = post(client, "/rosters/", {"file": file})
    assert answer.status_code == 422
    assert "The file is larger than 10 MB; split it by school." in check(answer.content.decode()).text
    assert not ImportRun.objects.exists()
