"""The verify button: what was checked, in plain words, and an entry with the verdict."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from archive.devices.models import BoxKey
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.ui.words import NOTICE
from tests.archive.page_fixtures import PASSWORD, Arrive, entries, make_user, who
from tests.archive.pages import Node, check
from tests.archive.recordings.test_recording import facts
from tests.support.archives import Archive


def verified(client: Any, recording: str) -> Node:
    answer = client.post(f"/recordings/{recording}/verify/")
    assert answer.status_code == 200
    return check(answer.content.decode())


def package(archive: Archive, recording: str) -> Path:
    path = archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip"
    path.chmod(0o600)
    return path


def test_an_intact_recording_is_called_so_with_what_was_checked(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Verified: intact"
    checks = [item.text for item in page.one("ol").all("li")]
    assert any("signed by the pinned key" in text for text in checks)
    assert any("segments open, and decode" in text for text in checks)
    assert NOTICE in page.text
    (entry,) = entries(made.id, "verify")
    assert who(entry) == "user:m.jones"
    assert json.loads(entry.detail)["verdict"] == "intact"


def test_an_interrupted_recording_has_a_verdict_of_its_own(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1, reason="interrupted", tail=1)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Verified: intact, of an interrupted recording"
    assert "unverified tail" in page.text


def test_a_flipped_bit_is_found_and_its_place_named(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    path = package(archive, made.id)
    data = bytearray(path.read_bytes())
    data[data.index(made.segments[1]) + 100] ^= 1
    path.write_bytes(data)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: something does not hold"
    assert "data/segments/00000001.age" in page.text
    assert "The audio from 0:01 to 0:02 is damaged." in page.text
    assert json.loads(entries(made.id, "verify")[0].detail)["verdict"] == "tampered"


def test_another_recordings_package_in_its_place_is_found(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made, other = sealed(seconds=1), sealed(seconds=1)
    shutil.copy(package(archive, other.id), package(archive, made.id))
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: something does not hold"


def test_a_package_that_is_no_package(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    package(archive, made.id).write_bytes(b"nothing")
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: the package is destroyed"
    assert "Do not rely on anything in this package" in page.text


def test_a_box_that_the_archive_does_not_know_any_more(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    BoxKey.objects.all().delete()
    assert verified(custodian, made.id).one("h1").text.startswith("Not verified")


def test_a_recording_without_its_key_is_not_called_verified(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    recording_keys().destroy_key(made.id)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Package intact; its audio was not checked"
    assert "The audio was not checked." in page.text
    assert "Everything was checked" not in page.text
    assert "give its key" not in page.text, "which cannot be done on the page"


def test_the_print_of_a_verification_can_be_filed(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = verified(custodian, made.id)
    told = facts(page)
    assert told["Recording"].startswith("Room 12, ")
    assert told["Recording"].endswith(made.id)
    assert told["Checked"].endswith("by m.jones")
    assert told["SHA-256 of the package, as sealed"] == Recording.objects.get().package_sha256


def test_a_package_that_is_gone_is_an_error_in_words(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    package(archive, made.id).unlink()
    answer = custodian.post(f"/recordings/{made.id}/verify/")
    assert answer.status_code == 503
    check(answer.content.decode())


@pytest.mark.parametrize("method", ["get", "head"])
def test_only_a_press_of_the_button_verifies(custodian: Any, sealed: Arrive, method: str) -> None:
    made = sealed(seconds=1)
    answer = getattr(custodian, method)(f"/recordings/{made.id}/verify/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/recordings/{made.id}/")
    assert not entries(made.id, "verify")


def test_who_was_signed_out_before_verifying_comes_back_to_the_button_in_words(client: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    make_user("m.jones", role="custodian")
    place = client.post(f"/recordings/{made.id}/verify/").headers["Location"]
    form = {"username": "m.jones", "password": PASSWORD, "next": f"/recordings/{made.id}/verify/"}
    assert place == f"/sign-in/?next={form['next']}"
    answer = client.post("/sign-in/", form, follow=True)
    assert answer.status_code == 200
    assert "you were signed out. press the button again." in check(answer.content.decode()).text.lower()


def test_before_the_seal_there_is_nothing_to_verify(custodian: Any, arrive: Arrive) -> None:
    assert custodian.post(f"/recordings/{arrive(seconds=1).id}/verify/").status_code == 404
