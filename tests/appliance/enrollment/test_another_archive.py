"""A box that is set up obeys its own archive alone, whatever claim somebody lays on its card (promise 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.enrollment import ClaimError
from appliance.contract.keys import SigningKey
from appliance.courier.settings import load as load_courier
from appliance.enrollment import command
from appliance.enrollment.command import enroll
from appliance.recorder.settings import load as load_recorder

from .fake_archive import FakeArchive, files, public, told


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeArchive:
    made = FakeArchive.make(tmp_path / "keys")
    monkeypatch.setattr(command, "ask", made.ask)
    monkeypatch.setattr(command, "board_serial", lambda: "10000000abcdef12")
    return made


@pytest.fixture
def folder(archive: FakeArchive, tmp_path: Path) -> Path:
    """A box that is set up."""
    made = tmp_path / "etc"
    enroll(archive.claim(tmp_path / "card"), made)
    return made


@pytest.mark.parametrize("own_beside_it", [False, True])
@pytest.mark.parametrize("lost", ["", "recorder.toml", "courier.toml", "archive-ca.pem", "box.key"])
def test_promise_3_a_claim_of_another_archive_is_not_even_asked_about(
    archive: FakeArchive,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    *,
    own_beside_it: bool,
) -> None:
    """Whoever laid it there would get the box's recordings, and answer with receipts that the box believes."""
    foreign = FakeArchive.make(tmp_path / "foreign")
    foreign.url = "https://elsewhere.example:8443"
    monkeypatch.setattr(command, "ask", foreign.ask)
    authorities = [foreign.authority.pem.decode(), *([archive.authority.pem.decode()] if own_beside_it else [])]
    claim = foreign.claim(tmp_path / "card", *reversed(authorities))
    if lost:
        (folder / lost).unlink()
    before = files(folder)
    with pytest.raises(ClaimError, match="belongs to"):
        command.main(["--claim", str(claim), "--folder", str(folder), "--wait"])
    assert foreign.asked == []
    assert files(folder) == before
    assert claim.exists()
    words = told(claim.parent)
    assert ("The claim on this card is not used" in words) is (lost != "recorder.toml")
    assert lost == "courier.toml" or "belongs to the archive at https://archive.example:8443" in words
    assert "the one at https://elsewhere.example:8443" in words
    assert all(one in words for one in ("remove the claim", "retire it there", "write its card anew"))


def test_promise_3_no_answer_changes_whose_receipts_the_box_believes(
    archive: FakeArchive, folder: Path, tmp_path: Path
) -> None:
    """Who has the authority's key alone can pose as the archive (archive.authority), and forges no receipt."""
    own, archive.receipts = archive.receipts, SigningKey.generate()
    before = files(folder)
    with pytest.raises(ClaimError, match="belongs to the archive"):
        enroll(archive.claim(tmp_path / "card"), folder)
    assert files(folder) == before
    assert load_recorder(folder / "recorder.toml").keys.archive_key == own.public


def test_another_claim_of_the_same_archive_is_obeyed_also_under_another_name(
    archive: FakeArchive, folder: Path, tmp_path: Path
) -> None:
    before = public(folder)
    archive.url = "https://new-name.example:8443"
    enroll(archive.claim(tmp_path / "card"), folder)
    assert public(folder) == before
    assert load_courier(folder / "courier.toml").archive.url == "https://new-name.example:8443"


def test_a_box_whose_former_identity_a_person_removed_goes_to_another_archive(
    archive: FakeArchive, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/enrollment.md: what a person who can log in deletes. A first try without a network spoils nothing."""
    for name in ("box.key", "courier.key", "archive-ca.pem", "recorder.toml", "courier.toml"):
        (folder / name).unlink()
    for path in (folder / "mqtt").iterdir():
        path.unlink()
    (folder / "mqtt").rmdir()
    foreign = FakeArchive.make(tmp_path / "foreign")
    monkeypatch.setattr(command, "ask", foreign.ask)
    claim = foreign.claim(tmp_path / "card")
    foreign.answers = False
    with pytest.raises(Exception, match="does not answer"):
        enroll(claim, folder)
    foreign.answers = True
    enroll(claim, folder)
    assert load_recorder(folder / "recorder.toml").keys.archive_key == foreign.receipts.public
