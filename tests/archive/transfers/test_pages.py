"""What another archive hands over, taken in by the pages: as by the command, whole or not at all, and told in words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.outside_package import PIECE
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.custody.check import check as check_custody
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.destruction.deeds import carry_out
from archive.records.outside_recordings import piece_deeds
from archive.sealing.audit import audit
from archive.store.current import store
from archive.transfers import clear_deeds, upload_deeds
from archive.transfers.models import State, Upload, UploadPiece
from archive.transfers.taking_in import take_in
from archive.transfers.upload_deeds import due_again, take_in_all, take_in_one
from tests.archive.page_fixtures import entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import grant_student, make_student
from tests.archive.transfers.test_taking_in import (  # noqa: F401 - fixtures
    DISTRICT,
    Handed,
    archive,
    handed,
    nothing_is_here,
    opening,
)
from tests.support.archives import Archive

ENDED: dict[str, Any] = {
    "district": DISTRICT,
    "key_ring": "{}",
    "came_by": "by mail",
    "begun_at": timezone.now(),
    "state": State.REFUSED,
}


def typed(handed: Handed) -> dict[str, str]:  # noqa: F811 - the fixture
    said = "Pat Doe sent the package on a stick, and read the key ring out by telephone."
    return {"district": DISTRICT, "key_ring": handed.ring.model_dump_json(indent=1), "came_by": said, "apart": "on"}


def announced(client: Any, handed: Handed) -> str:  # noqa: F811 - the fixture
    return str(client.post("/transfers/new/", {**typed(handed), "once": "a" * 32}).headers["Location"])


def send(client: Any, place: str, data: bytes) -> Any:
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        address = f"{place}pieces.json?at={at}&size={len(data)}"
        answer = client.post(address, piece, content_type="application/octet-stream")
        if answer.status_code != 200:
            break
    return answer


def sent(client: Any, handed: Handed, data: bytes) -> Upload:  # noqa: F811 - the fixture
    place = announced(client, handed)
    assert send(client, place, data).status_code == 200
    assert client.post(place, {"once": "b" * 32}).status_code == 302
    return Upload.objects.get()


def test_it_is_taken_in_by_the_pages(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    page = check(client.get("/transfers/").content.decode())
    assert archive.run("keyring", "--recipient").stdout.strip() in page.text
    check(client.get("/transfers/new/").content.decode())
    place = announced(client, handed)
    assert announced(client, handed) == place
    check(client.get(place).content.decode())
    assert client.post(place, {"once": "c" * 32}).status_code == 422
    half = handed.data[:1000]
    assert send(client, place, handed.data).json()["received"] == len(handed.data)
    again = client.post(f"{place}pieces.json?at=0&size={len(half)}", half, content_type="application/octet-stream")
    assert again.json()["error"]["code"] == "other-file"
    assert "is being checked" in check(client.post(place, {"once": "b" * 32}, follow=True).content.decode()).text
    assert nothing_is_here()
    take_in_all(StopSignal())
    assert Recording.objects.get().package_sha256 == handed.package_sha256
    page = check(client.get(place).content.decode())
    assert f"/recordings/{handed.recording}/" in client.get(place).content.decode()
    (entry,) = entries(handed.recording, "transferred-in")
    assert (entry.actor_type, entry.actor_id) == ("user", str(Upload.objects.get().begun_by_id))
    row = Upload.objects.get()
    assert (row.state, bytes(row.key), UploadPiece.objects.count(), store().incoming()) == ("taken-in", b"", 0, [])
    assert [one.code for one in Entry.objects.filter(code__startswith="transfer-")] == [
        "transfer-begun",
        "transfer-arrived",
    ]
    assert "taken in" in check(client.get("/transfers/").content.decode()).text
    assert list(audit()) == []
    assert check_custody() is None


@pytest.mark.parametrize(("what", "why"), [("to_itself", "addressed to another archive"), ("copy", "copy for people")])
def test_what_is_not_for_this_archive_is_refused_with_its_remedy(
    archive: Archive,  # noqa: F811
    handed: Handed,  # noqa: F811
    what: str,
    why: str,
) -> None:
    client = signed_in(archive, "carol", role="custodian")
    row = take_in_one(sent(client, handed, getattr(handed, what)).pk)
    assert row.state == State.REFUSED
    page = check(client.get(f"/transfers/{row.pk}/").content.decode())
    assert why in page.text
    assert "Begin anew" in page.text
    # what was typed is there again
    assert "by telephone" in client.get(f"/transfers/new/?again={row.pk}").content.decode()
    assert nothing_is_here()
    assert (UploadPiece.objects.count(), store().incoming()) == (0, [])
    assert list(audit()) == []


def test_another_kind_of_file_is_refused_at_its_first_piece(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    answer = send(client, announced(client, handed), b"<html>" + bytes(90))
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not-evidence")


def test_a_file_is_as_long_as_the_setting_allows(
    archive: Archive,  # noqa: F811
    handed: Handed,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(settings.ARCHIVE.records.__dict__, "longest_transfer_mib", 1)
    client = signed_in(archive, "carol", role="custodian")
    place = announced(client, handed)
    answer = client.post(f"{place}pieces.json?at=0&size={PIECE + 1}", bytes(PIECE), content_type="application/x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "wrong-piece")


@pytest.mark.parametrize(
    "wrong",
    [
        {"district": ""},
        {"district": "x" * 201},
        {"key_ring": "{"},
        {"key_ring": "{}"},
        {"key_ring": json.dumps({"archives": ["ed25519:x"]})},
        {"came_by": ""},
        {"came_by": "x" * 4001},
        {"apart": ""},
    ],
)
def test_what_is_typed_wrong_is_told_and_the_rest_is_kept(
    archive: Archive,  # noqa: F811
    handed: Handed,  # noqa: F811
    wrong: dict[str, str],
) -> None:
    client = signed_in(archive, "carol", role="custodian")
    answer = client.post("/transfers/new/", {**typed(handed), **wrong, "once": "a" * 32})
    assert answer.status_code == 422
    assert ("by telephone" if "came_by" not in wrong else DISTRICT) in answer.content.decode()
    assert not Upload.objects.exists()


def test_given_up_it_leaves_nothing_and_cannot_be_completed(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    place = announced(client, handed)
    send(client, place, handed.data)
    check(client.get(f"{place}give-up/").content.decode())
    assert client.post(f"{place}give-up/", {"once": "d" * 32}).status_code == 302
    assert (store().incoming(), UploadPiece.objects.count()) == ([], 0)
    assert client.post(f"{place}give-up/", {"once": "e" * 32}).status_code == 422
    assert send(client, place, handed.data).status_code == 409
    assert "given up" in check(client.get(place).content.decode()).text
    assert nothing_is_here()
    assert list(audit()) == []


def test_what_a_crash_left_behind_is_cleared(archive: Archive, handed: Handed) -> None:  # noqa: F811
    row = sent(signed_in(archive, "carol", role="custodian"), handed, handed.copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_deeds, "clear", lambda _: None)
        take_in_one(row.pk)
    assert store().incoming() == [row.pk]
    take_in_all(StopSignal())
    assert (store().incoming(), UploadPiece.objects.count()) == ([], 0)


def test_what_cannot_be_cleared_keeps_no_other_out(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    row = sent(client, handed, handed.data)
    stuck = [Upload.objects.create(**ENDED, ended_at=timezone.now()) for _ in range(2)]
    for one in stuck:
        # its file went, its row stayed
        UploadPiece.objects.create(upload=one, number=0, stored="x", size=1)
    clear, tried = clear_deeds.clear, []

    def fails(pk: str) -> None:
        tried.append(pk)
        if len(tried) == 1:
            raise StorageError("the bucket says no")
        clear(pk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clear_deeds, "clear", fails)
        take_in_all(StopSignal())
    assert set(tried) >= {one.pk for one in stuck}
    assert Upload.objects.get(pk=row.pk).state == State.TAKEN_IN
    take_in_all(StopSignal())
    assert not UploadPiece.objects.exists()


@pytest.mark.parametrize("error", [DataError("value too long"), UnicodeEncodeError("utf-8", "x", 0, 1, "no")])
def test_what_cannot_be_kept_waits_and_can_be_given_up(
    archive: Archive,  # noqa: F811
    handed: Handed,  # noqa: F811
    error: Exception,
) -> None:
    client = signed_in(archive, "carol", role="custodian")
    row = sent(client, handed, handed.data)
    tried: list[object] = []

    def fails(*_: object, **__: object) -> None:
        tried.append(1)
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_deeds, "take_in", fails)
        take_in_all(StopSignal())
        take_in_all(StopSignal())
        assert len(tried) == 1
        Upload.objects.update(tried_at=timezone.now() - upload_deeds.LAST_PAUSE)
        take_in_all(StopSignal())
    assert len(tried) == 2
    page = client.get(f"/transfers/{row.pk}/").content.decode()
    assert "ask IT" in check(page).text
    assert f"/transfers/{row.pk}/give-up/" in page
    assert client.post(f"/transfers/{row.pk}/give-up/", {"once": "d" * 32}).status_code == 302
    row = take_in_one(row.pk)
    assert (row.state, row.came_by, row.key_ring, row.problem) == (State.GIVEN_UP, "", "", "")
    assert (store().incoming(), UploadPiece.objects.count()) == ([], 0)
    check(client.get(f"/transfers/{row.pk}/").content.decode())


def test_one_waits_as_long_again_as_it_has_waited() -> None:
    at, minute = timezone.now(), timedelta(minutes=1)
    for waited, pause in ((0, 1), (1, 1), (10, 10), (60, 60), (6000, 60)):
        assert due_again(at, at + waited * minute) == at + (waited + pause) * minute


def test_given_up_while_it_was_taken_in_its_page_says_that_it_is_here(archive: Archive, handed: Handed) -> None:  # noqa: F811
    row = sent(signed_in(archive, "carol", role="custodian"), handed, handed.data)

    def given_up(*given: Any, **named: Any) -> Any:
        done = take_in(*given, **named)
        upload_deeds.give_up(row.pk, by=make_user("dave", role="custodian"))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_deeds, "take_in", given_up)
        assert take_in_one(row.pk).taken_in is not None
    assert Upload.objects.get().state == State.TAKEN_IN


def test_the_entry_names_who_closed_the_package(archive: Archive, handed: Handed) -> None:  # noqa: F811
    place = announced(signed_in(archive, "carol", role="custodian"), handed)
    other = signed_in(archive, "dave", role="custodian")
    assert send(other, place, handed.data).status_code == 200
    other.post(place, {"once": "b" * 32})
    row = take_in_one(Upload.objects.get().pk)
    (entry,) = entries(handed.recording, "transferred-in")
    assert row.begun_by is not None
    assert row.completed_by is not None
    assert entry.actor_id == str(row.completed_by.pk) != str(row.begun_by.pk)


def test_words_about_a_refused_one_are_kept_for_a_while(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    row = sent(client, handed, handed.data)

    def refused(*_: object, **__: object) -> None:
        raise SettingsError("it is of no form: \0")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_deeds, "take_in", refused)
        assert take_in_one(row.pk).problem == "it is of no form: \\x00"
    for age, kept in ((timedelta(days=29), True), (timedelta(days=31), False)):
        Upload.objects.update(ended_at=timezone.now() - age)
        take_in_all(StopSignal())
        row = Upload.objects.get()
        assert (bool(row.came_by), bool(row.key_ring)) == (kept, kept)
        page = client.get(f"/transfers/{row.pk}/").content.decode()
        assert ("Begin anew" in check(page).text) == kept


def test_the_list_begins_with_what_waits_and_has_all(archive: Archive) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    old = timezone.now() - timedelta(days=400)
    waits = Upload.objects.create(**ENDED | {"state": State.ARRIVING, "begun_at": old})
    last = Upload.objects.create(**ENDED | {"begun_at": old})
    Upload.objects.bulk_create(Upload(**ENDED) for _ in range(50))
    first, second = (client.get(f"/transfers/?page={number}").content.decode() for number in (1, 2))
    assert waits.pk in first
    assert last.pk not in first
    assert last.pk in second
    assert "?page=2" in first
    check(first)
    check(second)


def test_a_disk_that_does_not_answer_refuses_nothing(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")

    def fails(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piece_deeds, "store", fails)
        assert send(client, announced(client, handed), handed.data).status_code == 503
    row = sent(client, handed, handed.data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_deeds, "take_in", fails)
        assert take_in_one(row.pk).state == State.ARRIVED
    assert "the disk is full" in check(client.get(f"/transfers/{row.pk}/").content.decode()).text
    assert take_in_one(row.pk).state == State.TAKEN_IN


def test_one_of_which_not_all_is_here_is_a_dated_task_until_it_is_given_up(archive: Archive, handed: Handed) -> None:  # noqa: F811
    client = signed_in(archive, "carol", role="custodian")
    place = announced(client, handed)
    assert f"Recording from {DISTRICT}" in check(client.get("/today/").content.decode()).text
    Upload.objects.update(begun_at=timezone.now() - timedelta(days=400))
    take_in_all(StopSignal())
    assert "was due" in check(client.get("/today/").content.decode()).text
    assert Upload.objects.get().came_by, "no clock removes anything"
    assert client.post(f"{place}give-up/", {"once": "d" * 32}).status_code == 302
    assert DISTRICT not in client.get("/today/").content.decode()
    user = make_user("teacher")
    grant_student(user, make_student(), Deed.FILE)
    announced(client, handed)
    client.force_login(user)
    assert DISTRICT not in client.get("/today/").content.decode()


def test_who_may_file_for_some_students_alone_takes_nothing_in(archive: Archive, handed: Handed) -> None:  # noqa: F811
    place = announced(signed_in(archive, "carol", role="custodian"), handed)
    user = make_user("teacher")
    grant_student(user, make_student(), Deed.FILE)
    client = archive.client()
    client.force_login(user)
    for address in ("/transfers/", "/transfers/new/", place, f"{place}give-up/"):
        assert client.get(address).status_code == 403
    assert send(client, place, handed.data).status_code == 403


def test_destroyed_it_leaves_no_word_of_who_handed_it_over(archive: Archive, handed: Handed) -> None:  # noqa: F811
    take_in_one(sent(signed_in(archive, "carol", role="custodian"), handed, handed.data).pk)
    scene = make_scene(handed.recording)
    carry_out(scene.approved().pk, by=scene.bob)
    assert not Upload.objects.exists()
