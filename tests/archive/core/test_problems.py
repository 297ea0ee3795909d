"""What goes wrong is told in words, and nobody sees a traceback."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

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

    client = signed_in(archive, "m.jones", role="technician")
    client.raise_request_exception = False
    monkeypatch.setattr(views, "cards_now", broken)
    answer = client.get("/rooms/")
    assert answer.status_code == 500
    page = check(answer.content.decode())
    assert page.one("h1").text == "Something went wrong in the archive"
    assert "secret detail" not in page.text


def test_a_disk_that_fails_is_told_as_page_and_as_json(technician: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> None:
        raise StorageError("the disk said no")

    monkeypatch.setattr(views, "cards_now", broken)
    answer = technician.get("/rooms/")
    assert answer.status_code == 503
    assert "the disk said no" in check(answer.content.decode()).text
    answer = technician.get("/rooms.json")
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "storage", "message": "the disk said no", "field": None}}


def test_an_error_without_words_of_its_own_has_a_page(technician: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> None:
        raise PlainSightError("something <b>odd</b>")

    monkeypatch.setattr(views, "cards_now", broken)
    answer = technician.get("/rooms/")
    assert answer.status_code == 400
    assert "something <b>odd</b>" in check(answer.content.decode()).text


def test_what_boxes_ask_is_always_answered_as_json(client: Any) -> None:
    answer = client.get("/api/1/nothing-here")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown-address")
    answer = client.get("/api/1/recordings/" + "0" * 32, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad-request")


@pytest.mark.parametrize("address", ["/rooms/", "/rooms.json", "/api/1/recordings/" + "0" * 32])
def test_a_locked_database_is_503_with_a_code_wherever_it_is_met(
    archive: Archive, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(archive, "it.support")

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    client.raise_request_exception = False
    monkeypatch.setattr(CursorWrapper, "execute", locked)
    answer = client.get(address)
    assert answer.status_code == 503
    if address != "/rooms/":
        assert answer.json()["error"]["code"] == "storage"
    else:
        assert "try again later" in check(answer.content.decode()).text
