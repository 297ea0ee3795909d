"""A parent's slip names what is so: sealed, the whole package; before, what the box had signed."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
from typing import Any

import pytest

from appliance.contract import slip
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording
from archive.recordings.views import slip as view
from archive.sealing.seal import seal
from archive.store.current import store
from archive.ui.qr_code import qr_code
from tests.archive.page_fixtures import Arrive, entries
from tests.archive.pages import check
from tests.support import qr_codes


def digits(client: Any, recording: str) -> str:
    page = check(client.get(f"/recordings/{recording}/slip/").content.decode())
    found = re.search(r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}", page.text)
    assert found
    return slip.read(found[0])


def test_sealed_it_names_the_manifest_and_its_printing_is_in_the_log(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    package = io.BytesIO(store().read(Recording.objects.get(pk=made.id).package))
    manifest = zipfile.ZipFile(package).read(f"{made.id}/manifest-sha256.txt")
    named = digits(custodian, made.id)
    assert named == hashlib.sha256(manifest).hexdigest()
    assert "very recording" in slip.hold_against(package, named)
    assert [one.member("page") for one in entries(made.id, "look")] == ["slip"]


def test_before_the_seal_it_names_what_was_signed_and_says_that_it_is_not_all(custodian: Any, arrive: Arrive) -> None:
    made = arrive(seconds=3, reason="button")
    assert "not sealed yet" in check(custodian.get(f"/recordings/{made.id}/slip/").content.decode()).text
    early = digits(custodian, made.id)
    seal(made.id)
    package = io.BytesIO(store().read(Recording.objects.get(pk=made.id).package))
    assert "up to line" in slip.hold_against(package, early)
    assert digits(custodian, made.id) != early


@pytest.mark.parametrize(("language", "said"), [("en", "Keep this slip"), ("es", "Guarde esta constancia")])
def test_it_is_printed_in_both_languages(custodian: Any, sealed: Arrive, language: str, said: str) -> None:
    page = custodian.get(f"/recordings/{sealed(seconds=1).id}/slip/", headers={"accept-language": language})
    assert said in check(page.content.decode(), language=language).text


def test_who_may_not_look_gets_none(technician: Any, sealed: Arrive) -> None:
    assert technician.get(f"/recordings/{sealed(seconds=1).id}/slip/").status_code == 403


def test_its_code_holds_the_address_where_it_is_checked_and_the_sealed_digest(
    custodian: Any, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def drawing(text: str) -> str:
        drawn.append(text)
        return qr_code(text)

    monkeypatch.setattr(view, "qr_code", drawing)
    made = arrive(seconds=1, reason="button")
    assert 'class="scan"' not in custodian.get(f"/recordings/{made.id}/slip/").content.decode()
    seal(made.id)
    text = custodian.get(f"/recordings/{made.id}/slip/").content.decode()
    address, _, named = drawn[0].partition("#")
    assert named == digits(custodian, made.id)
    assert address.endswith(f"/recordings/{made.id}/slip/")
    assert qr_code(drawn[0]) in text
    assert qr_codes.drawn(qr_code(drawn[0])) == qr_codes.of(drawn[0])
    assert drawn[0] in check(text).text


@pytest.mark.parametrize("name", ["slip", "recording"])
def test_a_page_that_is_opened_in_the_moment_of_the_seal_shows_what_was_sealed(
    custodian: Any, arrive: Arrive, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made, module = arrive(seconds=2, reason="button"), sys.modules[f"archive.recordings.views.{name}"]
    real = module.record

    def behind_the_seal(*arguments: Any, **options: Any) -> Any:
        seal(made.id)
        return real(*arguments, **options)

    monkeypatch.setattr(module, "record", behind_the_seal)
    below = "slip/" if name == "slip" else ""
    answer = custodian.get(f"/recordings/{made.id}/{below}")
    assert answer.status_code == 200
    page = check(answer.content.decode())
    monkeypatch.undo()
    if name == "slip":
        found = re.search(r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}", page.text)
        assert found
        assert slip.read(found[0]) == digits(custodian, made.id)
        assert "not sealed yet" not in page.text
    else:
        assert "Audio kept from 0:00 to 0:02" in page.text
        assert page.all("audio")


def test_a_ledger_whose_row_was_read_before_the_seal_is_read_from_the_package(arrive: Arrive) -> None:
    made = arrive(seconds=2, reason="button")
    before = Recording.objects.get(pk=made.id)
    seal(made.id)
    found = read_ledger(before)
    assert (found.problem, len(found.entries)) == ("", len(made.lines))
