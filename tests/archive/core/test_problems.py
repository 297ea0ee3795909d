"""What goes wrong is told in words, and nobody sees a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.contract.errors import PlainSightError, StorageError
from archive.rooms import views
from tests.archive.page_fixtures import signed_in
from tests.archive.pages import check
from tests.support.archives import Archive


def test_an_unknown_address_is_a_page_in_words(custodian: Any, client: Any) -> None:
    for one in (custodian, client):
        answer = one.get("/nowhere/")
        assert answer.status_code == 404
        assert check(answer.content.decode()).one("h1").text == "There is no such page"


def test_a_defect_is_a_page_in_words(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> None:
        raise RuntimeError("secret detail")

    client = signed_in(archive, "m.jones")
    client.raise_request_exception = False
    monkeypatch.setattr(views, "_cards", broken)
    answer = client.get("/rooms/")
    assert answer.status_code == 500
    page = check(answer.content.decode())
    assert page.one("h1").text == "Something went wrong in the archive"
    assert "secret detail" not in page.text


def test_a_disk_that_fails_is_told_as_page_and_as_json(technician: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> None:
        raise StorageError("the disk said no")

    monkeypatch.setattr(views, "_cards", broken)
    answer = technician.get("/rooms/")
    assert answer.status_code == 503
    assert "the disk said no" in check(answer.content.decode()).text
    answer = technician.get("/rooms.json")
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "storage", "message": "the disk said no", "field": None}}


def test_an_error_without_words_of_its_own_has_a_page(technician: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> None:
        raise PlainSightError("something <b>odd</b>")

    monkeypatch.setattr(views, "_cards", broken)
    answer = technician.get("/rooms/")
    assert answer.status_code == 400
    assert "something <b>odd</b>" in check(answer.content.decode()).text
