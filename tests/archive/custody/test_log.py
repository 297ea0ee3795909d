"""The custody log: append-only by its triggers, and a chain in which every change shows."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from appliance.contract.custody import CustodyHead, Tree
from appliance.contract.errors import StorageError
from appliance.contract.keys import SigningKey
from archive.core.deeds import one_deed
from archive.custody import check as checking
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.check import Break, Signed, check, check_chain, contradictions
from archive.custody.heads import FILE, lines_of, published, signed_head
from archive.custody.kinds import kinds, register
from archive.custody.log import canonical, record
from archive.custody.models import Entry, Head, SignedHead
from archive.ingest import custody_kinds as ingest_kinds
from archive.recordings.custody_kinds import LISTEN
from archive.recordings.models import Recording
from archive.sealing import custody_kinds as sealing_kinds
from archive.sealing.custody_kinds import SEAL
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive, change_as_owner

ANN = Actor.user(uuid.UUID(int=7))


@pytest.fixture
def log(archive: Archive) -> int:
    """Five entries, and how many the making of the archive left before them."""
    before = Entry.objects.count()
    for n in range(5):
        record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=n, how="player")
    return before


def tree() -> Tree:
    """The tree over the entries that are there."""
    made = Tree()
    for digest in Entry.objects.values_list("digest", flat=True):
        made.add(digest)
    return made


def drop_triggers() -> None:
    """What somebody can do who holds the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
            for (table,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")


def test_entries_are_chained(log: int) -> None:
    assert check() is None
    entries = list(Entry.objects.all())
    assert [entry.n for entry in entries] == list(range(log + 5))
    assert [entry.prev for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]


def test_what_is_hashed_is_what_the_format_says(log: int) -> None:
    entry = Entry.objects.get(pk=log)
    text = (
        f'[1,{log},"{entry.at}","user","00000000-0000-0000-0000-000000000007","recording","{"a" * 32}","listen",'
        f'"{{\\"from_second\\":0,\\"how\\":\\"player\\"}}","{entry.prev}"]'
    )
    assert canonical(entry) == text.encode()
    assert entry.digest == hashlib.sha256(text.encode()).hexdigest()


def change(n: int) -> None:
    Entry.objects.filter(pk=n).update(actor_id="other")


def drop(n: int) -> None:
    Entry.objects.filter(pk=n).delete()


def replace_with_its_own_digest(n: int) -> None:
    """The entry says something else, and its digest is that of what it says."""
    entry = Entry.objects.get(pk=n)
    entry.actor_id = "other"
    Entry.objects.filter(pk=n).update(actor_id="other", digest=hashlib.sha256(canonical(entry)).hexdigest())


@pytest.mark.parametrize("deed", [change, drop])
@pytest.mark.parametrize("n", [0, 3, 6])
def test_what_somebody_with_the_database_in_hand_does_shows(log: int, deed: Callable[[int], None], n: int) -> None:
    drop_triggers()
    deed(n)
    broken = check()
    assert broken is not None
    assert broken.n == n


@pytest.mark.parametrize("n", [0, 3])
def test_an_entry_replaced_with_its_own_digest_shows_at_the_next(log: int, n: int) -> None:
    drop_triggers()
    replace_with_its_own_digest(n)
    broken = check()
    assert broken is not None
    assert (broken.n, "does not follow" in broken.problem) == (n + 1, True)


def rewrite(entries: list[Entry]) -> None:
    """Write the whole log anew from `entries`, chained and counted as it should be; only the key is missing."""
    drop_triggers()
    Entry.objects.all().delete()
    prev = "0" * 64
    for n, entry in enumerate(entries):
        entry.n, entry.prev = n, prev
        entry.digest = prev = hashlib.sha256(canonical(entry)).hexdigest()
        entry.save(force_insert=True)
    Head.objects.update(n=len(entries), digest=prev)


def forged() -> Entry:
    entry = Entry.objects.get(pk=3)
    entry.detail = json.dumps({"from_second": 99, "how": "player"})
    return entry


@pytest.mark.parametrize("kept", [0, 1, 4, 6])
def test_a_cut_tail_with_a_moved_head_shows(log: int, kept: int) -> None:
    rewrite(list(Entry.objects.all())[:kept])
    assert check() is not None


@pytest.mark.parametrize("kept", [0, 1, 4, 6])
def test_a_cut_tail_with_an_older_signature_of_its_own_shows(log: int, archive: Archive, kept: int) -> None:
    """The attacker kept the signed end of that time, and empties the table of published heads too."""
    signed_head()
    rewrite(list(Entry.objects.all())[:kept])
    digest = Head.objects.get().digest
    old = CustodyHead(
        archive_key=archive.keys.archive_signing.public,
        entries=max(kept, 1),
        digest=digest,
        root=tree().root(),
        signed_at="2026-03-04T15:00:00.000Z",
    )
    Head.objects.update(line=old.sign(archive.keys.archive_signing))
    SignedHead.objects.all().delete()
    broken = check()
    assert broken is not None
    assert FILE in broken.problem


def test_an_appended_forged_entry_shows(log: int) -> None:
    rewrite([*Entry.objects.all(), forged()])
    broken = check()
    assert broken is not None
    assert "signed" in broken.problem


def test_an_entry_appended_with_a_key_of_ones_own_shows(log: int) -> None:
    rewrite([*Entry.objects.all(), forged()])
    other = SigningKey.generate()
    head = Head.objects.get()
    Head.objects.update(
        line=CustodyHead(
            archive_key=other.public,
            entries=head.n,
            digest=head.digest,
            root=tree().root(),
            signed_at="2026-03-04T15:00:00.000Z",
        ).sign(other)
    )
    broken = check()
    assert broken is not None
    assert "did not sign" in broken.problem


def test_a_log_written_anew_shows_against_what_was_published(log: int) -> None:
    signed_head()
    rewrite([*list(Entry.objects.all())[:-1], forged()])
    assert check() is not None


@pytest.mark.both_engines
def test_an_older_database_shows_against_the_published_heads(archive: Archive, log: int, tmp_path: Path) -> None:
    archive.save_database(tmp_path / "backup.sqlite3")
    record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=7, how="player")
    signed_head()
    archive.put_database_back(tmp_path / "backup.sqlite3")
    broken = check()
    assert broken is not None
    assert "cut off" in broken.problem


def test_a_head_kept_elsewhere_is_held_against_the_log(log: int, archive: Archive) -> None:
    kept = signed_head()
    record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=7, how="player")
    assert check([("a receipt", kept)]) is None
    rewrite([*list(Entry.objects.all())[:4], forged()])
    SignedHead.objects.all().delete()
    (archive.home / FILE).unlink()
    assert check([("a receipt", kept)]) is not None


def test_entries_that_are_made_while_the_log_is_checked_break_nothing(
    log: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at thousands of heads takes seconds, and on a school day an entry is made each few seconds."""
    signed_head()
    heads, chain_ = published, check_chain

    def listen() -> None:
        record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=8, how="player")

    def while_heads_are_read() -> Iterator[tuple[str, bytes]]:
        listen()
        for one in heads():
            yield one
            listen()
        # published as well
        yield "a receipt", signed_head()

    def while_entries_are_read(*given: Any) -> Break | None:
        listen()
        signed_head()
        return chain_(*given)

    monkeypatch.setattr(checking, "published", while_heads_are_read)
    monkeypatch.setattr(checking, "check_chain", while_entries_are_read)
    assert check() is None


def test_an_entry_behind_the_end_of_the_log_shows(log: int) -> None:
    """Somebody appended one and left the head, which only the key can sign."""
    last = Entry.objects.get(pk=log + 4)
    last.n += 1
    last.save(force_insert=True)
    broken = check()
    assert broken is not None
    assert broken.n == log + 5


class ReadLate:
    """Stands for the recordings in a comparison: something comes in before it reads them, and after the entries."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self._deeds = [deed]

    @property
    def objects(self) -> Any:
        while self._deeds:
            self._deeds.pop()()
        return Recording.objects

    def __getattr__(self, name: str) -> Any:
        return getattr(Recording, name)


@pytest.mark.parametrize("module", [ingest_kinds, sealing_kinds])
def test_what_came_between_entries_and_rows_contradicts_nothing(
    archive: Archive, arrive: Arrive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    deed = arrive if module is ingest_kinds else sealed
    monkeypatch.setattr(module, "Recording", ReadLate(lambda: deed(seconds=1)))
    assert contradictions() == []
    (row,) = Recording.objects.all()
    change_as_owner(f"UPDATE recordings_recording SET state = 'sealed', package_sha256 = '{'f' * 64}'")
    assert [one for one in contradictions() if row.pk in one], "what stays so is told"


def test_a_missing_head_shows(log: int) -> None:
    Head.objects.all().delete()
    assert check() is not None


@pytest.mark.both_engines
def test_a_head_is_published_once_and_never_inside_a_transaction(log: int, archive: Archive) -> None:
    assert signed_head() == signed_head()
    assert (archive.home / FILE).read_bytes() == signed_head()
    with pytest.raises(RuntimeError), transaction.atomic():
        signed_head()


@pytest.mark.both_engines
def test_an_entry_is_as_durable_as_the_deed_around_it(log: int) -> None:
    def failing() -> None:
        with one_deed():
            record(SEAL, actor=ARCHIVE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert Entry.objects.count() == log + 5
    assert check() is None


def test_an_entry_has_only_what_its_kind_declares() -> None:
    with pytest.raises(TypeError, match="name"):
        record(LISTEN, actor=ARCHIVE, name="Ann Jones")


def test_two_kinds_cannot_share_a_code() -> None:
    assert kinds()["listen"] is LISTEN
    with pytest.raises(ValueError, match="listen"):
        register("listen", "something else")


@pytest.mark.both_engines
def test_two_processes_writing_at_once_make_one_chain(archive: Archive) -> None:
    before = Entry.objects.count()
    program = (
        "import os, django; django.setup()\n"
        "from archive.custody.actors import ARCHIVE, Subject\n"
        "from archive.custody.log import record\n"
        "from archive.recordings.custody_kinds import LOOK\n"
        "for n in range(100): record(LOOK, actor=ARCHIVE, subject=Subject.recording('b' * 32), page=str(n))\n"
    )
    environment = {**archive.environment(), "DJANGO_SETTINGS_MODULE": "archive.settings"}
    writers = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert Entry.objects.count() == before + 200
    assert check() is None


def test_a_log_without_entries_has_nothing_to_publish(archive: Archive) -> None:
    Head.objects.update(n=0)
    assert signed_head() == b""
    Head.objects.all().delete()
    assert signed_head() == b""
    assert not (archive.home / FILE).exists()


def test_a_head_that_cannot_be_kept_is_told(archive: Archive) -> None:
    (archive.home / FILE).mkdir()
    with pytest.raises(StorageError, match=FILE):
        signed_head()


def test_what_a_crash_cut_off_in_the_file_of_heads_breaks_nothing(
    log: int, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """The power went within a line: the next head is a line of its own, and the torn one is told and no break."""
    path = archive.home / FILE
    first = signed_head()
    torn = first[:100]
    path.write_bytes(first + torn)
    record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=7, how="player")
    second = signed_head()
    assert path.read_bytes() == first + torn + b"\n" + second
    assert check() is None
    assert "1 lines that are no heads" in caplog.text
    rewrite(list(Entry.objects.all())[:-2])
    SignedHead.objects.all().delete()
    assert check() is not None, "the heads in that file still count"


def test_a_file_without_any_head_does_not_pass_for_heads(log: int, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a head\nnor this\n")
    broken = check(lines_of(tmp_path / "notes"))
    assert broken is not None
    assert "did not sign" in broken.problem


def test_a_head_whose_line_could_not_be_kept_comes_into_the_file_later(log: int, archive: Archive) -> None:
    (archive.home / FILE).mkdir()
    with pytest.raises(StorageError, match=FILE):
        signed_head()
    (archive.home / FILE).rmdir()
    assert signed_head() == (archive.home / FILE).read_bytes()


def test_without_a_head_nothing_is_entered(archive: Archive) -> None:
    Head.objects.all().delete()
    with pytest.raises(StorageError, match="no head"):
        record(LISTEN, actor=ANN)


def test_two_heads_that_the_key_signed_and_that_differ_show(log: int, archive: Archive) -> None:
    """As after two archives wrote with one key, or root wrote the log anew."""
    head = CustodyHead.read(signed_head(), None)
    other = head.model_copy(update={"digest": "f" * 64}).sign(archive.keys.archive_signing)
    broken = check([("a receipt", other)])
    assert broken is not None
    assert "a receipt" in broken.problem


def chain(*numbers: int) -> list[Entry]:
    """Entries that follow on one another, with these numbers."""
    made, prev = list[Entry](), "0" * 64
    for n in numbers:
        entry = Entry(n=n, version=1, at="2026-03-04T15:00:00.000Z", code="listen", detail="{}", prev=prev)
        entry.digest = prev = hashlib.sha256(canonical(entry)).hexdigest()
        made.append(entry)
    return made


def broken_at(entries: list[Entry], count: int, last: str, signed: dict[int, Signed] | None = None) -> int | None:
    found = check_chain(entries, count, last, signed)
    return found.n if found else None


def test_each_cover_of_the_chain_shows_by_itself() -> None:
    whole = chain(0, 1, 2)
    last = whole[-1].digest
    assert broken_at(whole, 3, last) is None
    assert broken_at(whole, 4, last) == 3, "the head counts more"
    assert broken_at(whole, 3, "f" * 64) == 3, "the head has another digest"
    assert broken_at(chain(0, 2), 2, chain(0, 2)[-1].digest) == 1, "a number is left out of an otherwise whole chain"
    assert broken_at(chain(1, 2), 2, chain(1, 2)[-1].digest) == 0, "the first one is left out"
    two = Tree()
    for entry in whole[:2]:
        two.add(entry.digest)
    assert broken_at(whole, 3, last, {2: Signed(whole[1].digest, two.root(), "a head")}) is None
    assert broken_at(whole, 3, last, {2: Signed("f" * 64, two.root(), "a head")}) == 1, "a head in the middle differs"
    assert broken_at(whole, 3, last, {2: Signed(whole[1].digest, "f" * 64, "a head")}) == 1, "its tree differs"
    assert broken_at(whole, 3, last, {4: Signed("f" * 64, "f" * 64, "a head")}) == 3, "a signed head counts more"
    later = chain(0, 1, 2)
    later[1].version = 2
    later[1].digest = hashlib.sha256(canonical(later[1])).hexdigest()
    assert broken_at(later[:2], 2, later[1].digest) == 1, "a version that is not known"


def test_a_head_signs_the_tree_over_all_entries(log: int) -> None:
    head = Head.objects.get()
    assert (CustodyHead.read(bytes(head.line), None).root, bytes(head.edge)) == (tree().root(), tree().edge)


def test_an_edge_that_somebody_changed_shows_once_it_is_signed(log: int) -> None:
    """The database's holder cannot have the key prove an entry that is not there."""
    head = Head.objects.get()
    Head.objects.update(edge=bytes(len(bytes(head.edge))))
    record(LISTEN, actor=ANN, subject=Subject.recording("a" * 32), from_second=9, how="player")
    broken = check()
    assert broken is not None
    assert "no proof leads there" in broken.problem
