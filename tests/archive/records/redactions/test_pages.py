"""The pages of redacted copies: what people type, what is wrong with it, and the exemption log."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.contract.stop_signal import StopSignal
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Passage, Redaction, State
from tests.archive.page_fixtures import RATE, entries, signed_in
from tests.archive.pages import check

from .scene import Scene

PASSAGE = {
    "first": "0:00:01.5",
    "last": "0:00:02,250",
    "how": "tone",
    "basis": "other-student",
    "reason": "Ben is named",
}


def token(letter: str) -> dict[str, str]:
    return {"once": letter * 32}


def test_from_the_recording_s_page_to_the_sign_off_and_the_log(scene: Scene) -> None:
    ann, bob = (signed_in(scene.archive, name, role="custodian") for name in ("carol", "dave"))
    there = f"/recordings/{scene.row.pk}/"
    page = check(ann.get(there).content.decode())
    (new,) = [one.get("href") for one in page.all("a") if one.get("href").endswith("/redactions/new/")]
    assert ann.post(new, {"purpose": "", **token("a")}).status_code == 422
    page = ann.post(new, {"purpose": "for the parents", "student": str(scene.student.pk), **token("b")}, follow=True)
    made = Redaction.objects.get()
    place = scene.address(made)
    assert page.redirect_chain[-1][0] == place
    passage = f"{place}passages/new/"
    for wrong in (
        {"first": ""},
        {"first": "x"},
        {"last": "9:00:00"},
        {"first": "0:00:03"},
        {"reason": ""},
        {"basis": "x"},
    ):
        answer = ann.post(passage, {**PASSAGE, **wrong, **token("c")})
        assert answer.status_code == 422
        assert "reason" in wrong or "Ben is named" in answer.content.decode(), "what was typed is kept"
    assert ann.post(f"{place}make/", token("d")).status_code == 422, "nothing is left out yet"
    for _ in range(2):
        page = check(ann.post(passage, {**PASSAGE, **token("e")}, follow=True).content.decode())
    entered = Passage.objects.get()
    assert (entered.first_frame, entered.last_frame) == (int(1.5 * RATE), int(2.25 * RATE))
    assert "0:00:01.500" in page.text
    for _ in range(2):
        ann.post(f"{place}make/", token("f"))
    assert "being made" in check(ann.get(place).content.decode()).text
    assert ann.post(passage, {**PASSAGE, **token("0")}).status_code == 422, "what is made is not changed"
    make_asked(StopSignal())
    page = check(bob.get(place).content.decode())
    assert "You have not listened to all of it" in page.text
    assert bob.post(f"{place}sign-off/", {"listened": "on", **token("1")}).status_code == 422
    made.refresh_from_db()
    dave = scene.bob.__class__.objects.get(username="dave")
    scene.hear(made, dave)
    assert bob.post(f"{place}sign-off/", token("2")).status_code == 422, "it is that person's word"
    page = check(bob.post(f"{place}sign-off/", {"listened": "on", **token("3")}, follow=True).content.decode())
    assert "Hand it out" in page.text
    assert Redaction.objects.get().state == State.SIGNED
    log = check(ann.get(f"{place}exemptions/").content.decode())
    for words in ("0:00:01.500", "0:00:02.250", "34 CFR 99.12(a)", "Ben is named", "carol"):
        assert words in log.text
    printed = ann.get(f"{place}exemptions.pdf")
    assert printed.content.startswith(b"%PDF-")
    assert [one.member("page") for one in entries(scene.row.pk, "redaction-log")] == ["screen", "print"]
    listed = check(ann.get("/redactions/").content.decode())
    assert "for the parents" in listed.text
    assert "for the parents" in check(ann.get(there).content.decode()).text


def test_a_passage_is_kept_a_copy_is_opened_again_and_withdrawn(scene: Scene) -> None:
    made = scene.made()
    client = scene.client(scene.ann)
    check(client.get(scene.address(made, "reopen/")).content.decode())
    assert client.post(scene.address(made, "reopen/"), token("a")).status_code == 302
    assert Redaction.objects.get().state == State.DRAFT
    keep = scene.address(made, f"passages/{made.passages.get().pk}/remove/")
    check(client.get(keep).content.decode())
    assert client.post(keep, token("b")).status_code == 302
    assert client.get(keep).status_code == 404
    check(client.get(scene.address(made, "withdraw/")).content.decode())
    assert client.post(scene.address(made, "withdraw/"), token("c")).status_code == 422
    assert client.post(scene.address(made, "withdraw/"), {"reason": "not needed", **token("d")}).status_code == 302
    assert Redaction.objects.get().state == State.WITHDRAWN
    check(client.get(scene.address(made)).content.decode())


def test_two_people_at_once_the_second_is_told(scene: Scene) -> None:
    made = scene.begun()
    first, second = scene.client(scene.ann), scene.client(scene.bob)
    assert first.post(scene.address(made, "make/"), token("a")).status_code == 302
    answer = second.post(scene.address(made, "make/"), token("b"))
    assert answer.status_code == 422
    assert "being made" in answer.content.decode()


@pytest.mark.parametrize(
    "typed", ["\u0661:\u0660", "1:2:3:4", "-1", "1e3", "0:00:01.1234", "99999999", "\x00", "1" * 400]
)
def test_a_place_that_is_none_is_refused(scene: Scene, typed: str) -> None:
    made: Any = scene.begun()
    answer = scene.client(scene.ann).post(
        scene.address(made, "passages/new/"), {**PASSAGE, "first": typed, **token("a")}
    )
    assert answer.status_code == 422
