"""Who may not, is refused, and the refusal is an entry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from tests.archive.page_fixtures import Arrive, entries, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive

GUARDED = [
    ("", "recording"),
    ("custody/", "custody"),
    ("audio.wav", "audio"),
    ("copies/", "export"),
    ("package.zip", "package"),
    ("audio.flac", "flac"),
    ("receipt.tsv", "receipt"),
]


@pytest.mark.parametrize(("below", "name"), GUARDED)
def test_without_the_right_nothing_of_a_recording_is_shown(
    technician: Any, sealed: Arrive, below: str, name: str
) -> None:
    made = sealed(seconds=1)
    answer = technician.get(f"/recordings/{made.id}/{below}")
    assert answer.status_code == 403
    page = check(answer.content.decode())
    assert page.one("h1").text == "You may not do that"
    assert "no right to this page" in page.text
    (entry,) = [entry for entry in entries(made.id) if entry.actor.startswith("user:")]
    assert (entry.kind, entry.actor) == ("refusal", "user:it.support")
    assert json.loads(entry.detail) == {"page": name, "why": "not a custodian"}


def test_verifying_needs_the_right(technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert technician.post(f"/recordings/{made.id}/verify/").status_code == 403
    assert [entry.kind for entry in entries(made.id) if entry.actor.startswith("user:")] == ["refusal"]


def test_it_cannot_listen_even_as_superuser(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    root = signed_in(archive, "root", superuser=True)
    assert root.get(f"/recordings/{made.id}/audio.wav").status_code == 403
    assert [entry.actor for entry in entries(made.id, "refusal")] == ["user:root"]


def test_a_group_can_carry_the_right(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    client = signed_in(archive, "p.smith")
    group = Group.objects.create(name="custodians")
    group.permissions.add(Permission.objects.get(codename="listen"))
    User.objects.get(username="p.smith").groups.add(group)
    assert client.get(f"/recordings/{made.id}/").status_code == 200


def test_an_account_that_is_closed_is_signed_out_at_once(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    User.objects.update(is_active=False)
    assert custodian.get(f"/recordings/{made.id}/audio.wav").status_code == 302
    assert not entries(made.id, "listen")


def test_it_sees_rooms_and_the_list(technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert technician.get("/rooms/").status_code == 200
    assert made.id in technician.get("/recordings/").content.decode()
