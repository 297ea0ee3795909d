"""The pages of a destruction, from the proposal to the certificate, and who sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.destruction import deeds, views
from archive.records.destruction.models import Basis, Destruction, State
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive

from .scene import Scene, gone


def test_the_pages_from_the_proposal_to_the_certificate(archive: Archive, scene: Scene) -> None:
    ann, bob = (signed_in(archive, name, role="custodian") for name in ("carol", "dave"))
    recording = f"/recordings/{scene.row.pk}/"
    assert "Propose its destruction" in ann.get(recording).content.decode()
    check(ann.get(f"{recording}destroy/").content.decode())
    typed = {"basis": "period", "reason": "no longer needed"}
    assert ann.post(f"{recording}destroy/", {**typed, "basis": "", "once": "0" * 32}).status_code == 422
    there = ann.post(f"{recording}destroy/", {**typed, "once": "a" * 32}).headers["Location"]
    page = check(ann.get(there).content.decode())
    assert "was not told yet" in page.text
    (letter,) = [one.get("href") for one in page.all("a") if one.get("href").endswith("/tell/")]
    check(ann.get(letter).content.decode())
    made = ann.post(letter, {"language": "es", "once": "b" * 32}).headers["Location"]
    assert "ya no hace falta" in ann.get(made).content.decode()
    ann.post(f"{made}delivery/", {"how": "by mail", "day": timezone.localdate().isoformat(), "once": "c" * 32})
    page = check(ann.get(there).content.decode())
    (reply,) = [one.get("href") for one in page.all("a") if one.get("href").endswith("/reply/")]
    check(ann.get(reply).content.decode())
    said = {"reply": "agrees", "replied_on": timezone.localdate().isoformat()}
    ann.post(reply, {**said, "reply": "objects", "remark": "Wait!", "once": "9" * 32})
    assert "Entered so far: does not agree" in check(ann.get(reply).content.decode()).text
    page = check(ann.post(reply, {**said, "once": "d" * 32}, follow=True).content.decode())
    assert "before: does not agree" in page.text
    assert "Wait!" in page.text
    assert ann.post(f"{there}approve/", {"once": "e" * 32}).status_code == 422
    check(bob.get(f"{there}approve/").content.decode())
    assert "day of rest" in bob.post(f"{there}approve/", {"once": "f" * 32}, follow=True).content.decode()
    deed = {"understood": "on"}
    assert bob.post(f"{there}carry-out/", {**deed, "once": "1" * 32}).status_code == 422
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    check(bob.get(f"{there}carry-out/").content.decode())
    assert bob.post(f"{there}carry-out/", {"once": "2" * 32}).status_code == 422
    assert bob.get(f"{there}certificate.pdf").status_code == 409
    page = check(bob.post(f"{there}carry-out/", {**deed, "once": "3" * 32}, follow=True).content.decode())
    assert "Certificate (PDF)" in page.text
    assert gone(scene.row)
    printed = bob.get(f"{there}certificate.pdf")
    assert printed.content.startswith(b"%PDF-")
    for address in ("audio.wav", "audio.flac", "package.zip", "copies/"):
        assert bob.get(recording + address).status_code == 410
    assert "destroyed for good" in check(bob.get(recording).content.decode()).text
    check(bob.get("/destructions/").content.decode())
    check(bob.get("/recordings/").content.decode())
    check(bob.get("/retention/ahead/").content.decode())


def test_nobody_learns_by_an_identifier_who_a_student_is(archive: Archive, scene: Scene) -> None:
    """A recording of two students, and somebody who reaches one of them; and any other student of the archive."""
    ben, kim, other = make_student("Ben", "Vo"), make_person("Kim", "Vo"), make_student("Zoe", "Quist")
    make_right(kim, ben)
    make_filing(scene.row.pk, make_meeting(ben, timezone.now() - timedelta(days=2 * 365)))
    made = scene.propose()
    told = deeds.tell(made.pk, ben, kim, "en", by=scene.ann)
    near = User.objects.create_user("near", "only for tests 2468")
    grant_student(near, scene.student, Deed.DESTROY)
    client, place = archive.client(), f"/destructions/{made.pk}/"
    client.force_login(near)
    assert client.get(f"{place}students/{scene.student.pk}/people/{scene.parent.pk}/tell/").status_code == 200
    typed = {"reply": "agrees", "replied_on": timezone.localdate().isoformat(), "language": "en", "once": "a" * 32}
    for student, person in ((ben, kim), (other, kim), (scene.student, kim)):
        for answer in (
            client.get(f"{place}students/{student.pk}/people/{person.pk}/tell/"),
            client.post(f"{place}students/{student.pk}/people/{person.pk}/tell/", typed),
        ):
            assert answer.status_code == 404
            assert not {"Vo", "Quist"} & set(answer.content.decode().split())
    assert client.get(f"{place}letters/{told.pk}/reply/").status_code == 404
    assert client.post(f"{place}letters/{told.pk}/reply/", typed).status_code == 404
    everywhere = signed_in(archive, "carol", role="custodian")
    assert everywhere.get(f"{place}students/{other.pk}/people/{kim.pk}/tell/").status_code == 404
    assert everywhere.get(f"{place}letters/{told.pk}/reply/").status_code == 200


def test_what_waits_is_shown_however_much_ended_since(
    archive: Archive, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SHOWN", 1)
    made = scene.propose()
    for number in range(3):
        Destruction.objects.create(
            recording=scene.row,
            basis=Basis.PERIOD,
            state=State.WITHDRAWN,
            proposed_at=made.proposed_at + timedelta(hours=number + 1),
        )
    page = signed_in(archive, "carol", role="custodian").get("/destructions/").content.decode()
    assert f"/destructions/{made.pk}/" in page


def test_the_box_that_still_asks_gets_its_receipt(archive: Archive, scene: Scene) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    client = archive.client()
    assert client.get(f"/api/1/recordings/{scene.row.pk}/receipt").status_code == 200
    assert client.get(f"/api/1/recordings/{scene.row.pk}").json()["state"] == "sealed"


def test_who_may_not_destroy_sees_no_way_to(archive: Archive, scene: Scene) -> None:
    client = signed_in(archive, "reader", Deed.LOOK)
    assert "destruction" not in client.get(f"/recordings/{scene.row.pk}/").content.decode().lower()
    assert make_user("carol").pk
