"""`plainsight-archive add-box` and `retire`."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from appliance.contract.keys import SigningKey
from archive.custody.models import Entry
from archive.devices.keyring import key_ring
from archive.devices.models import Box, BoxKey
from tests.support.archives import Archive


def keys(box: str) -> list[str]:
    """The keys of a box that sign recordings."""
    return list(
        BoxKey.objects.filter(box=box, use=BoxKey.Use.RECORDER).order_by("pk").values_list("public_key", flat=True)
    )


def test_a_new_box_gets_a_key_and_its_settings(archive: Archive, tmp_path: Path) -> None:
    key = tmp_path / "box.key"
    done = archive.run("add-box", "--room", "Room 9", "--new-key", str(key))
    settings = tomllib.loads(done.stdout)
    box = Box.objects.get(placements__room__name="Room 9")
    assert settings["box"]["id"] == box.id
    assert keys(box.id) == [SigningKey.load(key).public]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert settings["keys"] == {
        "archive_recipient": archive.keys.archive.recipient,
        "escrow_recipient": archive.keys.escrow.recipient,
        "archive_key": archive.keys.archive_signing.public,
    }
    assert "Room 9" not in done.stdout, "the room's name stays in the database"


def test_a_box_that_made_its_own_key_gives_the_public_half(archive: Archive) -> None:
    public = SigningKey.generate().public
    answer = json.loads(archive.run("add-box", "box-0a1b", "--public-key", public, "--json").stdout)
    assert (answer["box"], answer["public_key"], answer["signing_key"]) == ("box-0a1b", public, None)


def test_another_key_of_a_known_box_is_added(archive: Archive) -> None:
    public = SigningKey.generate().public
    archive.run("add-box", archive.keys.box, "--public-key", public)
    assert keys(archive.keys.box) == [archive.keys.box_signing.public, public]


def test_two_boxes_cannot_share_a_key(archive: Archive) -> None:
    done = archive.run("add-box", "box-0a1b", "--public-key", archive.keys.box_signing.public, status=2)
    assert archive.keys.box in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Room-12", "--public-key", SigningKey.generate().public], "no box identifier"),
        (["--public-key", "ed25519:AAAA"], "32 bytes"),
        (["--public-key", "rsa:AAAA"], "ed25519:"),
        (["--new-key", "/nonexistent/box.key"], "/nonexistent/box.key"),
        ([], "required"),
    ],
)
def test_bad_arguments_are_named(archive: Archive, arguments: list[str], message: str) -> None:
    assert message in archive.run("add-box", *arguments, status=2).stderr
    assert Box.objects.count() == 1


def test_no_box_is_enrolled_without_an_escrow(archive: Archive, tmp_path: Path) -> None:
    (archive.home / "keys" / "escrow.txt").unlink()
    done = archive.run("add-box", "--new-key", str(tmp_path / "box.key"), status=2)
    assert "--new-escrow" in done.stderr
    assert not (tmp_path / "box.key").exists()


def test_enrolling_and_retiring_are_in_the_custody_log(archive: Archive) -> None:
    archive.run("retire", archive.keys.box)
    archive.run("retire", archive.keys.box)
    assert list(Entry.objects.values_list("code", flat=True)) == ["enroll", "enroll", "place", "retire"]
    assert "does not know" in archive.run("retire", "box-nobody", status=2).stderr


def test_the_database_refuses_one_key_for_two_boxes(archive: Archive) -> None:
    other = Box.objects.create(pk="box-0a1b")
    with pytest.raises(IntegrityError), transaction.atomic():
        BoxKey.objects.create(box=other, public_key=archive.keys.box_signing.public)


def test_one_key_of_a_box_is_revoked_and_the_other_goes_on(archive: Archive) -> None:
    old, new = archive.keys.box_signing.public, SigningKey.generate().public
    archive.run("add-box", archive.keys.box, "--public-key", new)
    archive.run("retire", archive.keys.box, "--key", old)
    box = Box.objects.get(pk=archive.keys.box)
    assert (box.believes(old), box.believes(new)) == (False, True)
    assert key_ring().boxes[box.pk] == [old, new], "what the old one signed stays verifiable"
    assert "revoked" in archive.run("add-box", archive.keys.box, "--public-key", old, status=2).stderr
    assert Entry.objects.latest("n").code == "revoke-key"
    assert (
        "has no key" in archive.run("retire", archive.keys.box, "--key", SigningKey.generate().public, status=2).stderr
    )


def test_a_retired_box_is_believed_in_nothing_until_it_is_enrolled_again(archive: Archive) -> None:
    archive.run("retire", archive.keys.box)
    assert not Box.objects.get().believes(archive.keys.box_signing.public)
    archive.run("add-box", archive.keys.box, "--public-key", archive.keys.box_signing.public)
    assert Box.objects.get().believes(archive.keys.box_signing.public)
