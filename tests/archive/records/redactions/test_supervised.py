"""Listening at the office plays what the kiosk would: the part about the own child, without what was left out."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from django.utils import timezone

from archive.access.deeds import Deed
from archive.recordings.listens import VALID
from archive.records.requests.models import AccessRequest, SupervisedListening
from archive.records.restrictions import deeds as restriction_deeds
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_meeting,
    make_request,
    make_student,
)
from tests.support.archives import Archive

from .scene import Scene, make_scene, passage


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    """A recording whose first three seconds are about Ana, and the last one about Ben."""
    scene = make_scene(archive, sealed(seconds=4).id)
    filing = scene.row.filings.get()
    filing.last_frame = 3 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=3 * RATE)
    return scene


@pytest.fixture
def case(scene: Scene) -> AccessRequest:
    return make_request(scene.student, scene.parent)


@pytest.fixture
def carol(scene: Scene) -> Any:
    """A custodian's browser: she may hear all of it herself."""
    return signed_in(scene.archive, "carol", role="custodian")


def begun(client: Any, scene: Scene, case: AccessRequest) -> str:
    answer = client.post(f"/requests/{case.pk}/listen/{scene.row.pk}/", {"once": "a" * 32})
    assert answer.status_code == 302, answer.content.decode()
    place: str = answer.headers["Location"]
    return place


def heard(client: Any, address: str) -> Any:
    return soundfile.read(io.BytesIO(b"".join(client.get(address))), dtype="int16")[0]


def source(page: Any) -> str:
    (audio,) = page.all("audio")
    address: str = audio.get("src")
    return address


# 34 CFR 99.10, 99.12(a), 300.613, 300.615


def test_the_person_beside_whom_staff_sit_hears_what_the_kiosk_would_play(
    scene: Scene, case: AccessRequest, carol: Any
) -> None:
    scene.signed(passage(RATE, 2 * RATE), student=scene.student)
    restriction_deeds.restrict(scene.row.pk, 0, RATE // 2, "staff talked", by=make_user("rita", Deed.RESTRICT))
    place = begun(carol, scene, case)
    page = check(carol.get(place).content.decode())
    address = source(page)
    assert address.startswith(place), "not the custodian's own player"
    got, before = heard(carol, address), scene.original
    for first, last in ((0, RATE // 2), (RATE, 2 * RATE), (3 * RATE, 4 * RATE)):
        assert not got[first:last].any(), (first, last)
    assert np.array_equal(got[RATE // 2 : RATE], before[RATE // 2 : RATE])
    assert np.array_equal(got[2 * RATE : 3 * RATE], before[2 * RATE : 3 * RATE])
    parent = make_account(scene.parent)
    grant_student(parent, scene.student, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    assert np.array_equal(got, heard(scene.client(parent), f"/recordings/{scene.row.pk}/audio.wav"))
    assert len(entries(scene.row.pk, "supervised")) == 1
    assert len(entries(scene.row.pk, "listen")) >= 2, "each listening is an entry before its first sound"
    assert "From 0:03 to 0:04 you hear silence" in page.text


def test_the_page_is_read_in_spanish_too(scene: Scene, case: AccessRequest, carol: Any) -> None:
    place = begun(carol, scene, case)
    carol.post("/language/", {"language": "es", "next": place})
    said = check(carol.get(place).content.decode(), language="es").text
    assert "De 0:03 a 0:04 usted oye silencio" in said


def test_who_may_not_listen_begins_none(scene: Scene, case: AccessRequest) -> None:
    clerk = signed_in(scene.archive, "clerk", Deed.REQUESTS)
    answer = clerk.post(f"/requests/{case.pk}/listen/{scene.row.pk}/", {"once": "a" * 32})
    assert answer.status_code == 422
    assert "Make a code for the kiosk" in answer.content.decode()
    assert not SupervisedListening.objects.exists()


@pytest.mark.parametrize("end", ["answered", "barred", "long ago", "a colleague's"])
def test_a_listening_plays_nothing_once_it_is_over_and_for_nobody_else(
    scene: Scene, case: AccessRequest, carol: Any, end: str
) -> None:
    place = begun(carol, scene, case)
    address = source(check(carol.get(place).content.decode()))
    if end == "answered":
        AccessRequest.objects.update(closed_at=timezone.now(), outcome="listened")
    elif end == "barred":
        make_bar(scene.parent, scene.student)
    elif end == "long ago":
        SupervisedListening.objects.update(began_at=timezone.now() - VALID)
    client = signed_in(scene.archive, "dora", role="custodian") if end == "a colleague's" else carol
    for there in (place, address):
        answer = client.get(there)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/recordings/{scene.row.pk}/")


def test_staff_who_hear_less_themselves_play_no_more_than_that(scene: Scene, case: AccessRequest) -> None:
    teacher = make_user("teacher")
    grant_student(teacher, scene.student, Deed.LISTEN, Deed.LOOK, Deed.REQUESTS)
    made = SupervisedListening.objects.create(request=case, recording=scene.row, began_at=timezone.now(), by=teacher)
    client = scene.client(teacher)
    page = check(client.get(f"/requests/{case.pk}/listen/{scene.row.pk}/{made.pk}/").content.decode())
    assert not heard(client, source(page))[3 * RATE :].any()
