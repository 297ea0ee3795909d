"""The store in a bucket: what a real server does, and what is noticed when one lies or fails."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.contract.errors import ConflictError, PlainSightError, SettingsError, StorageError
from archive.configuration.file import load
from archive.store.base import derivatives_folder, package_name
from archive.store.s3 import S3Store
from archive.store.s3_bucket import Access, Bucket, read_access
from tests.support.lying_s3 import Liar
from tests.support.s3_server import credentials, s3_server
from tests.support.s3_stores import NO_DESTRUCTION, connected, on_liar, on_real_server

ID = "0123456789abcdef" * 2
NAME = package_name(ID)
COPY = f"{derivatives_folder(ID)}/copy.zip"


def test_a_real_server_keeps_the_first_version_against_whoever_writes_over_or_deletes(tmp_path: Path) -> None:
    settings = on_real_server()
    store = connected(tmp_path, settings)
    store.put_once(NAME, b"first")
    intruder = s3_server().client("archive")
    where = {"Bucket": settings.bucket, "Key": NAME}
    intruder.put_object(**where, Body=b"forged")
    intruder.delete_object(**where)
    anew = connected(tmp_path, settings)
    assert (anew.exists(NAME), anew.read(NAME), list(anew.names("packages"))) == (True, b"first", [NAME])
    assert list(anew.sizes("packages")) == [(NAME, len(b"first"))]
    anew.put_once(NAME, b"first")
    with pytest.raises(ConflictError):
        anew.put_once(NAME, b"forged")
    anew.remove(NAME)
    assert intruder.list_object_versions(Bucket=settings.bucket).get("Versions", []) == []


def test_a_real_server_locks_packages_and_lets_copies_go(tmp_path: Path) -> None:
    store = connected(tmp_path, on_real_server(**NO_DESTRUCTION))
    for name in (NAME, COPY):
        store.put_once(name, b"x")
    first = store.bucket.first(NAME)
    described = store.bucket.describe(NAME, first.id) if first else None
    until = described.until if described else None
    assert until is not None
    assert abs(until - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=10)
    store.remove(COPY)
    assert not store.exists(COPY)
    with pytest.raises(StorageError, match="when its lock ends"):
        store.remove(NAME)
    assert store.read(NAME) == b"x"


def test_a_real_server_lists_more_than_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = connected(tmp_path, on_real_server())
    names = [package_name(f"{number:032x}") for number in range(5)]
    for name in names:
        store.bucket.put(name, io.BytesIO(b"x"), _sha256(b"x"), None)

    def small(self: Bucket, prefix: str) -> object:
        pages = self.client.get_paginator("list_object_versions")
        return pages.paginate(Bucket=self.name, Prefix=prefix, PaginationConfig={"PageSize": 2})

    monkeypatch.setattr(Bucket, "_pages", small)
    assert sorted(store.names("packages")) == names


def test_a_real_server_refuses_keys_that_it_does_not_know(tmp_path: Path) -> None:
    settings = on_real_server()
    stranger = Bucket.connect(settings, Access("nobody", "knows"))
    with pytest.raises(StorageError, match="look at the credentials"):
        stranger.first(NAME)


NOTICED: dict[str, type[PlainSightError]] = {
    "loses": StorageError,
    "changes": StorageError,
    "locks nothing": StorageError,
    "locks for less": StorageError,
    "unavailable": StorageError,
    "cuts uploads": StorageError,
    "cuts answers": StorageError,
    "speaks HTML": StorageError,
}


@pytest.mark.parametrize("lie", NOTICED)
def test_nothing_counts_as_kept_on_a_servers_word(lied_to: S3Store, liar: Liar, lie: str) -> None:
    liar.lies = {lie}
    with pytest.raises(NOTICED[lie]):
        lied_to.put_once(NAME, b"what must be kept")


def test_a_server_that_never_answers_is_given_up(liar: Liar, tmp_path: Path) -> None:
    store = connected(tmp_path, on_liar(liar, tmp_path, answer_s=1))
    liar.lies = {"slow"}
    for ask in (lambda: store.put_once(NAME, b"x"), lambda: store.exists(NAME)):
        with pytest.raises(StorageError, match="look at the network"):
            ask()


def test_a_server_that_is_away_takes_nothing_and_what_arrives_stays_here(liar: Liar, lied_to: S3Store) -> None:
    """So an hour without a network loses nothing: boxes' bytes are durable here, and are sealed once it is back."""
    arrived = lied_to.add_incoming(ID, "lines-00000000", [b"x"])
    draft = lied_to.draft(NAME)
    draft.write(b"package")
    liar.lies = {"unavailable"}
    with pytest.raises(StorageError, match="tried again later"):
        draft.publish()
    assert lied_to.read(arrived) == b"x"
    lied_to.add_incoming(ID, "lines-00000001", [b"y"])
    liar.lies.clear()
    draft.publish()
    draft.discard()
    assert lied_to.read(NAME) == b"package"


def test_an_answer_that_is_lost_after_the_object_was_kept_makes_no_second_one(liar: Liar, lied_to: S3Store) -> None:
    liar.lies = {"cuts after writing"}
    lied_to.put_once(NAME, b"package")
    assert [one.data for one in liar.objects[NAME]] == [b"package"]
    assert len([line for line in liar.asked if line.startswith("PUT")]) == 2, "it was asked again"


def test_an_upload_that_breaks_off_once_is_sent_again_whole(liar: Liar, lied_to: S3Store) -> None:
    """Also one that is larger than what a socket takes at once: the second try begins at its begin."""
    package = bytes(range(256)) * 4096
    draft = lied_to.draft(NAME)
    draft.write(package)
    liar.lies = {"cuts one upload"}
    draft.publish()
    draft.discard()
    assert [one.data for one in liar.objects[NAME]] == [package]
    assert len([line for line in liar.asked if line.startswith("PUT")]) == 2


def test_a_read_back_that_breaks_off_once_is_asked_for_again(liar: Liar, lied_to: S3Store) -> None:
    liar.lies = {"cuts one answer"}
    lied_to.put_once(NAME, b"package")
    assert lied_to.read(NAME) == b"package"


def test_an_answer_that_breaks_off_once_is_asked_for_again(liar: Liar, lied_to: S3Store) -> None:
    lied_to.put_once(NAME, b"package")
    liar.lies = {"cuts one answer"}
    assert lied_to.read_range(NAME, 0, 7) == b"package"
    liar.lies = {"cuts answers"}
    with pytest.raises(StorageError):
        lied_to.read_range(NAME, 0, 7)


def test_two_writers_at_once_end_with_the_bytes_of_the_first(liar: Liar, lied_to: S3Store) -> None:
    """Also where the server lets both write: the second one sees that it is not the first version."""
    liar.lies = {"ignores the condition"}
    first, looked = lied_to.bucket.first, 0

    def before(self: Bucket, key: str) -> object:
        nonlocal looked
        looked += 1
        if looked > 1:
            return first(key)
        liar.objects[NAME] = []
        lied_to.bucket.put(NAME, io.BytesIO(b"theirs"), _sha256(b"theirs"), lied_to.retention.lock())
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, "first", before)
        with pytest.raises(ConflictError):
            lied_to.put_once(NAME, b"ours, late")
    assert lied_to.read(NAME) == b"theirs"


def test_a_list_of_nothing_that_is_none_of_the_bucket_shows_no_removal(lied_to: S3Store, liar: Liar) -> None:
    lied_to.put_once(NAME, b"x")
    liar.lies = {"speaks HTML"}
    for ask in (lambda: lied_to.remove(NAME), lambda: lied_to.exists(NAME), lambda: list(lied_to.names("packages"))):
        with pytest.raises(StorageError, match="no list of the bucket"):
            ask()
    assert liar.first(NAME) == b"x"


def test_a_removal_that_did_nothing_is_no_removal(lied_to: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lied_to.put_once(NAME, b"x")
    monkeypatch.setattr(Bucket, "delete", lambda *_, **__: None)
    with pytest.raises(StorageError, match="still there"):
        lied_to.remove(NAME)


def test_what_was_removed_elsewhere_is_told_and_looked_up_anew(lied_to: S3Store, liar: Liar) -> None:
    lied_to.put_once(NAME, b"x")
    assert lied_to.read_range(NAME, 0, 1) == b"x"
    liar.objects.clear()
    with pytest.raises(StorageError, match="not in the bucket any more"):
        lied_to.read_range(NAME, 0, 1)
    lied_to.put_once(NAME, b"y")
    assert lied_to.read_range(NAME, 0, 1) == b"y"


def test_only_a_destruction_asks_for_a_bypass(lied_to: S3Store, liar: Liar) -> None:
    for name in (NAME, COPY):
        lied_to.put_once(name, b"x")
    liar.bypassing = "nobody"
    lied_to.remove(COPY)
    with pytest.raises(StorageError):
        lied_to.remove(NAME)
    assert liar.first(NAME) == b"x"


def test_a_pair_of_keys_shows_no_secret_where_it_is_printed() -> None:
    assert "hush" not in f"{Access('key', 'hush')}"


HEAD = '[store]\nengine = "s3"\n'
S3_SECTION = '[store.s3]\nendpoint = "https://s3.example"\nbucket = "district"\ncredentials_file = "/x"\n'


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [
        (HEAD, "store", "needs the section"),
        (HEAD + S3_SECTION, "store.s3", "destruction_credentials_file"),
        (HEAD + S3_SECTION + 'mode = "compliance"\n', "store.s3", "destroys_early = false"),
        (HEAD + S3_SECTION.replace("https", "http"), "store.s3.endpoint", "https://HOST"),
        (HEAD + S3_SECTION.replace("s3.example", "s3.example/bucket"), "store.s3.endpoint", "with nothing behind it"),
        (HEAD + S3_SECTION.replace("district", "No Bucket"), "store.s3.bucket", "bucket"),
        (HEAD + S3_SECTION + "retention_days = 0\n", "store.s3.retention_days", "retention_days"),
        (HEAD + S3_SECTION + 'destroys_early = false\ndestruction_credentials_file = "/y"\n', "store.s3", "remove"),
        (HEAD + S3_SECTION + 'buckett = "x"\n', "store.s3", "bucket"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, text: str, field: str, remedy: str) -> None:
    (tmp_path / "archive.toml").write_text(text)
    with pytest.raises(SettingsError, match=remedy) as told:
        load(tmp_path / "archive.toml")
    assert str(told.value.field).startswith(field)


@pytest.mark.parametrize("text", ["", "[default]\naws_access_key_id = a\n", "key", "[other]\nx = 1\n"])
def test_a_file_without_keys_is_named(tmp_path: Path, liar: Liar, text: str) -> None:
    settings = on_liar(liar, tmp_path)
    credentials(tmp_path, "archive").write_text(text)
    with pytest.raises(SettingsError, match="aws_access_key_id") as told:
        read_access(settings, "credentials_file")
    assert told.value.field == "store.s3.credentials_file"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
