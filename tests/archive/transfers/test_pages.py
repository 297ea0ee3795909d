"""What another archive hands over, taken in by the pages: as by the command, whole or not at all, and told in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from appliance.contract.errors import StorageError
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
from archive.transfers import upload_deeds
from archive.transfers.models import State, Upload, UploadPiece
from archive.transfers.upload_deeds import take_in_all, take_in_one
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
