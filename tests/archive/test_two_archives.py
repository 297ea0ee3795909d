"""Two archives by mistake on one database, or on one store: the second one is refused before it changes anything."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import DatabaseError

from appliance.contract.errors import PlainSightError, SettingsError
from appliance.contract.keys import SigningKey
from archive.core.jobs import require_all
from archive.custody.actors import ARCHIVE
from archive.custody.check import check
from archive.custody.log import record
from archive.custody.models import Entry, Head
from archive.keystore.current import keystore
from archive.recordings.custody_kinds import LOOK
from archive.store.local import LocalStore
from archive.store.owner import OWNER, mark, owner_of, require_own
from tests.support.archives import Archive

OURS, THEIRS = "our public key", "the key of another archive"


def become_another(archive: Archive) -> None:
    """Give this process other keys, as another archive's home has them."""
    path = archive.home / "keys" / "signing.pem"
    path.unlink()
    SigningKey.generate().save(path)
    keystore.cache_clear()


@pytest.mark.both_engines
def test_an_archive_on_the_database_of_another_starts_nothing_and_enters_nothing(archive: Archive) -> None:
    require_all()
    record(LOOK, actor=ARCHIVE)
    before = Entry.objects.count()
    become_another(archive)
    with pytest.raises(SettingsError, match="another archive's") as refused:
        require_all()
    assert refused.value.field == "database.name"
    # one that was already running when the other one began
    with pytest.raises(PlainSightError, match="another archive's"):
        record(LOOK, actor=ARCHIVE)
    for command in (["worker", "--once"], ["web"]):
        assert "another archive's" in archive.run(*command, status=2).stderr
    assert Entry.objects.count() == before


def test_a_head_that_cannot_be_read_or_a_database_that_is_away_is_no_other_archive(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Head.objects.update(line=b"damaged")
    require_all()
    record(LOOK, actor=ARCHIVE)
    assert check() is None

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("no route to host")

    monkeypatch.setattr(Head.objects, "filter", fail)
    require_all()
    assert "no route to host" in caplog.text


def test_a_folder_that_is_another_archives_is_refused_and_nobodys_becomes_ones_own(tmp_path: Path) -> None:
    disk = LocalStore(tmp_path)
    require_own(disk, OURS, take=False)
    assert owner_of(disk) is None, "looking takes nothing"
    require_own(disk, OURS, take=True)
    require_own(disk, OURS, take=True)
    for take in (False, True):
        with pytest.raises(SettingsError, match="is the store of another archive"):
            require_own(disk, THEIRS, take=take)
    assert owner_of(disk) == OURS


def test_of_two_that_begin_on_one_folder_at_once_one_is_refused(tmp_path: Path) -> None:
    both = threading.Barrier(2)

    def begin(key: str) -> bool:
        both.wait()
        try:
            require_own(LocalStore(tmp_path), key, take=True)
        except SettingsError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(begin, [OURS, THEIRS])) == [False, True]


def test_a_folder_that_does_not_answer_is_told_and_keeps_nobody_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "store").write_text("in the way")
    require_own(LocalStore(tmp_path / "store"), OURS, take=True)
    assert "cannot be seen now" in caplog.text


@pytest.mark.parametrize("wrong", [b"not a mark", b"", b"\xff", b'{"version":2,"archive_key":"k"}'])
def test_a_folder_whose_mark_no_archive_wrote_is_not_used(tmp_path: Path, wrong: bytes) -> None:
    (tmp_path / OWNER).write_bytes(wrong)
    for take in (False, True):
        with pytest.raises(SettingsError, match="nothing that an archive wrote"):
            require_own(LocalStore(tmp_path), OURS, take=take)
    assert (tmp_path / OWNER).read_bytes() == wrong
    assert mark(OURS) != mark(THEIRS)
