"""A retired box becomes another one by a new claim on its card, with nobody who logs in on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.enrollment import ClaimError, RetiredBoxError
from appliance.contract.errors import PlainSightError
from appliance.enrollment import command, set_aside
from appliance.enrollment.archive import refusal
from appliance.enrollment.command import enroll
from appliance.recorder.settings import load as load_recorder
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.devices.enrollment import retire, revoke_key
from archive.devices.models import Box
from archive.enrollment import throttle
from archive.enrollment.claim_file import Hardware, claim_file
from archive.enrollment.deeds import give_claim
from archive.enrollment.models import Claim, FailedAttempt
from tests.appliance.enrollment.fake_archive import FakeArchive, files, kept, public, told
from tests.archive.enrollment.test_deeds import BOARD, codes, district
from tests.support.archives import Archive

__all__ = ["district"]
GiveClaim = Callable[[str], Path]


@pytest.fixture
def asked(district: Archive, client: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The answers of the archive in this process, which a box asks in the place of one over the network."""
    answers: list[str] = []

    def ask(_url: str, path: str, _authority: str, body: bytes) -> bytes:
        answer = client.post(path, body, content_type="application/octet-stream")
        if answer.status_code != 200:
            error: PlainSightError = refusal(answer.status_code, answer.content)
            answers.append(error.code)
            raise error
        answers.append("taken")
        return bytes(answer.content)

    monkeypatch.setattr(command, "ask", ask)
    monkeypatch.setattr(command, "board_serial", lambda: BOARD)
    return answers


@pytest.fixture
def claim(asked: list[str], tmp_path: Path) -> GiveClaim:
    """Gives out a claim for a room, and copies it onto the card."""
    (tmp_path / "card").mkdir()

    def give(room: str) -> Path:
        path = tmp_path / "card" / "plainsight-claim.toml"
        path.write_text(claim_file(give_claim(room, by=ARCHIVE, now=timezone.now()).text, Hardware()))
        return path

    return give


@pytest.fixture
def folder(claim: GiveClaim, tmp_path: Path) -> Path:
    """A box that is set up."""
    made = tmp_path / "etc"
    enroll(claim("Room 9"), made)
    return made


def id_of(folder: Path) -> str:
    return load_recorder(folder / "recorder.toml").box.id


def test_a_retired_box_becomes_another_one_by_a_new_claim_alone(
    folder: Path, claim: GiveClaim, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, before = id_of(folder), files(folder)
    retire(first, by=ARCHIVE)
    path = claim("Room 10")
    assert command.main(["--claim", str(path), "--folder", str(folder), "--wait"]) == 0
    assert asked == ["taken", "retired-box", "taken"]
    second = id_of(folder)
    assert second != first
    assert Box.objects.get(pk=second).believes(public(folder))
    assert Box.objects.get(pk=first).retired_at is not None, "it does not come back"
    assert {data for name, data in before.items() if name != "mqtt/broker.json"} <= kept(folder), "nothing is lost"
    assert codes()[-6:].count("refuse-claim") == 1
    for words in (capsys.readouterr().err, told(path.parent)):
        assert "/var/lib/plainsight/spool" in words
    assert f"This board is {second} now." in told(path.parent)


def test_a_box_whose_key_was_revoked_gets_another_one_too(folder: Path, claim: GiveClaim, asked: list[str]) -> None:
    revoke_key(id_of(folder), public(folder), by=ARCHIVE)
    enroll(claim("Room 10"), folder)
    assert asked == ["taken", "retired-box", "taken"]


def test_a_box_that_is_not_retired_keeps_its_keys_and_is_told_what_to_do(
    folder: Path, claim: GiveClaim, asked: list[str]
) -> None:
    before, path = files(folder), claim("Room 10")
    for _ in range(2):
        with pytest.raises(ClaimError, match="retire it on the archive's page Boxes, and the claim is taken") as caught:
            enroll(path, folder)
        assert id_of(folder) in caught.value.message
    assert files(folder) == before
    retire(id_of(folder), by=ARCHIVE)
    enroll(path, folder)
    assert asked == ["taken", "bad-claim", "bad-claim", "retired-box", "taken"]


def test_only_a_claim_that_is_good_makes_a_retired_box_give_up_its_keys(folder: Path, claim: GiveClaim) -> None:
    retire(id_of(folder), by=ARCHIVE)
    before, path = files(folder), claim("Room 10")
    Claim.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(ClaimError, match="has expired"):
        enroll(path, folder)
    assert files(folder) == before


def test_promise_3_another_archive_cannot_tell_a_box_that_it_was_retired(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retired(*_: object) -> bytes:
        raise RetiredBoxError("this board was box-7f3a, which was retired", field="box_key")

    before = files(folder)
    foreign = FakeArchive.make(tmp_path / "foreign")
    monkeypatch.setattr(command, "ask", retired)
    with pytest.raises(ClaimError, match="belongs to the archive at"):
        enroll(foreign.claim(tmp_path / "card"), folder)
    assert files(folder) == before


@pytest.mark.parametrize("cut_at", range(1, 9))
def test_wherever_the_power_is_cut_the_box_ends_with_new_keys_and_nothing_is_lost(
    folder: Path, claim: GiveClaim, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    first, before = id_of(folder), files(folder)
    keys = {name: public(folder, name) for name in ("box.key", "courier.key")}
    retire(first, by=ARCHIVE)
    path, moves, rename = claim("Room 10"), 0, Path.rename

    def cut(source: Path, target: Path) -> Path:
        nonlocal moves
        if target.parent.name.startswith("of-"):
            moves += 1
            if moves == cut_at:
                raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as power:
        power.setattr(Path, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            enroll(path, folder)
    has_settings, has_key = (folder / "recorder.toml").exists(), (folder / "box.key").exists()
    assert not has_settings or has_key, "no recorder starts with the old settings and a new key"
    enroll(path, folder)
    assert id_of(folder) != first
    assert all(public(folder, name) != key for name, key in keys.items())
    assert {before[name] for name in ("box.key", "courier.key", "mqtt/client.key", "recorder.toml")} <= kept(folder)


def test_a_network_that_goes_away_in_between_costs_nothing(
    folder: Path, claim: GiveClaim, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = id_of(folder)
    retire(first, by=ARCHIVE)
    path, move = claim("Room 10"), set_aside.of_a_retired_box
    with monkeypatch.context() as network:

        def and_then_away(folder: Path) -> None:
            move(folder)
            network.setattr(command, "ask", FakeArchive.gone)

        network.setattr(set_aside, "of_a_retired_box", and_then_away)
        with pytest.raises(PlainSightError, match="does not answer"):
            enroll(path, folder)
    assert not (folder / "recorder.toml").exists()
    enroll(path, folder)
    assert id_of(folder) != first


def test_strangers_do_not_keep_a_retired_box_out(
    folder: Path, claim: GiveClaim, monkeypatch: pytest.MonkeyPatch
) -> None:
    retire(id_of(folder), by=ARCHIVE)
    path = claim("Room 10")
    FailedAttempt.objects.bulk_create(
        FailedAttempt(address="127.0.0.1", at=timezone.now()) for _ in range(throttle.MAX_ADDRESS)
    )
    enroll(path, folder)
    assert Entry.objects.filter(code="use-claim").count() == 2


def test_the_words_about_the_spool_name_the_page_that_says_more() -> None:
    assert "docs/enrollment.md" in set_aside.SPOOL_WORDS
