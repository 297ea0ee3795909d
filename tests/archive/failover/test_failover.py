"""The primary falls in the middle of an upload, of a page, of a deed: what was answered is there, and nothing is twice.

The archive finds the standby by itself, once that is the primary; none of its processes is started anew.
"""

from __future__ import annotations

import functools
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import DatabaseError, OperationalError, close_old_connections, connection
from django.test import RequestFactory

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.core.errors import expected
from archive.core.once import FIELD, new_token, once
from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.recordings.models import Recording as Row
from archive.recordings.models import State
from archive.recordings.verification import verify_again
from archive.records.destruction import deeds as destruction_deeds
from archive.records.destruction.finish_deeds import finish_all
from archive.records.holds import deeds as hold_deeds
from archive.records.meetings import filing_deeds
from archive.sealing.audit import audit
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, sign_in_over_http
from tests.archive.records.destruction.scene import gone, make_scene
from tests.archive.records.factories import make_matter, make_meeting
from tests.archive.sealing.test_workers import working
from tests.support.archives import ENGINE, SETTINGS, Archive, prepared, template
from tests.support.box_requests import BoxAuth, batches
from tests.support.postgresql_pair import Fall, Pair, kill, stop_at_once
from tests.support.spools import Recording, make_recording
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(
    ENGINE != "postgresql", reason="it needs two PostgreSQL servers of its own: ./deploy/test --postgresql runs it"
)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A primary and its synchronous standby, with the archive's tables."""
    template("postgresql")
    made = Pair()
    yield made
    made.end()


@pytest.fixture
def archive(pair: Pair, tmp_path: Path) -> Iterator[Archive]:
    """An archive that knows both servers, and one box."""
    base, home = template("postgresql"), tmp_path / "archive"
    shutil.copytree(base.home, home)
    (home / "archive.toml").write_text(SETTINGS + pair.section(pair.primary.create(base.database)))
    made = Archive(home)
    with prepared(made):
        yield made


class Box(threading.Thread):
    """A box that uploads one recording after the other, and sends each thing until it is taken."""

    def __init__(self, archive: Archive, url: str, spool: Path) -> None:
        super().__init__(name="box")
        self._archive, self._url, self._spool = archive, url, spool
        self._auth = BoxAuth(archive.keys)
        self._enough = threading.Event()
        self.whole: list[Recording] = []
        """Those of which the archive has taken everything."""
        self.answers: Counter[int] = Counter()
        """How often it was answered with each status."""

    def run(self) -> None:
        """Upload until `end`."""
        while not self._enough.is_set():
            made = make_recording(self._spool, self._archive.keys, seconds=3, rate=RATE, segment_frames=RATE)
            pieces = [("PUT", "header", made.header_line), ("PUT", "key", made.key)]
            pieces += [("POST", "lines", body) for _, body in batches(made, 1)]
            if all(self._taken(made, *piece) for piece in pieces):
                self.whole.append(made)

    def end(self) -> None:
        """Let it end in the middle of what it does."""
        self._enough.set()
        self.join()

    def _taken(self, made: Recording, method: str, what: str, body: bytes) -> bool:
        where, kind = f"{self._url}/api/1/recordings/{made.id}/{what}", {"Content-Type": "application/octet-stream"}
        # one box may ask ten times a second
        while not self._enough.wait(0.15):
            answer = requests.request(method, where, data=body, headers=kind, auth=self._auth, timeout=300)
            if "stale-nonce" in answer.text:
                # however slow this machine is
                self._auth.nonce = ""
                continue
            self.answers[answer.status_code] += 1
            if answer.ok:
                return True
        return False


def test_a_box_and_a_reader_find_the_other_server_and_nothing_that_was_answered_is_lost(
    archive: Archive, pair: Pair, tmp_path: Path
) -> None:
    reader = make_user("m.jones", role="custodian")
    before_it = set(contradictions())
    seen: set[int] = set()
    with archive.serving(workers=1) as url, working(archive) as worker, requests.Session() as browser:
        sign_in_over_http(browser, url, reader)
        servers = url.workers()

        def look() -> int:
            answer = browser.get(f"{url}/recordings/", allow_redirects=False, timeout=300)
            seen.add(answer.status_code)
            return answer.status_code

        box = Box(archive, url, tmp_path / "spool")
        box.start()

        def has_whole(count: int) -> Callable[[], bool]:
            return lambda: len(box.whole) >= count

        def was_refused(count: int) -> Callable[[], bool]:
            return lambda: box.answers[503] >= count

        def all_sealed() -> bool:
            close_old_connections()
            sealed = set(Row.objects.filter(state=State.SEALED).values_list("pk", flat=True))
            return taken <= sealed

        try:
            for how in (kill, stop_at_once):
                until(has_whole(len(box.whole) + 1), "a recording", alive=box.is_alive)
                pair.fall(how)
                until(was_refused(box.answers[503] + 1), "a refusal", alive=box.is_alive)
                assert look() == 503
                pair.promote()
                until(has_whole(len(box.whole) + 2), "two recordings more", alive=box.is_alive)
                # whoever was signed in still is
                until(lambda: look() == 200, "the page again")
                taken = {made.id for made in box.whole}
                until(all_sealed, "the seals", alive=lambda: worker.poll() is None)
        finally:
            box.end()
        taken = {made.id for made in box.whole}
        until(all_sealed, "the last seals", alive=lambda: worker.poll() is None)
        assert url.workers() == servers
    assert seen == {200, 503}
    assert set(box.answers) <= {200, 201, 503}
    for made in box.whole:
        row = Row.objects.get(pk=made.id)
        assert (row.frames, row.next_line, row.problem) == (made.frames, len(made.lines), "")
        assert [entry.code for entry in entries(made.id)] == ["ingest", "close", "seal"]
        assert verify_again(row, ARCHIVE).verdict == "intact"
    assert list(audit()) == []
    assert check_custody() is None
    assert set(contradictions()) <= before_it


@contextmanager
def falls_in_the_middle(pair: Pair, how: Fall) -> Iterator[None]:
    """Let the primary end once the deed's entry is written, before the rest of the deed."""

    def watched(execute: Callable[..., Any], sql: str, *others: Any) -> Any:
        done = execute(sql, *others)
        if 'INSERT INTO "custody_entry"' in sql:
            pair.fall(how)
        return done

    with connection.execute_wrapper(watched):
        yield


@contextmanager
def falls_before_it_answers(pair: Pair, how: Fall) -> Iterator[None]:
    """Let the primary end when it has committed and the standby has it, before the archive hears so."""
    commit = connection._commit  # type: ignore[attr-defined]  # every engine has one

    def watched() -> None:
        commit()
        pair.fall(how)
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_commit", watched)
        yield


@pytest.mark.parametrize(("falls", "how"), [(falls_in_the_middle, kill), (falls_before_it_answers, stop_at_once)])
def test_a_deed_is_done_once_or_not_at_all_and_its_form_may_be_sent_again(
    archive: Archive, pair: Pair, sealed: Arrive, falls: Callable[..., Any], how: Fall
) -> None:
    filed, held, destroyed = (Row.objects.get(pk=sealed(seconds=1).id) for _ in range(3))
    scene = make_scene(destroyed.pk)
    decided, meeting, matter = scene.approved(), make_meeting(), make_matter()
    ann = make_user("clerk", Deed.FILE, Deed.HOLD)
    # what the scene was made of has no entries
    before_it = set(contradictions())
    deeds: list[tuple[Row, str, Callable[[], object]]] = [
        (filed, "filed", lambda: filing_deeds.file_under(filed, meeting, by=ann)),
        (held, "hold", lambda: hold_deeds.hold(matter.pk, held, by=ann)),
        (destroyed, "destroyed", lambda: destruction_deeds.carry_out(decided.pk, by=scene.bob)),
    ]
    for row, code, deed in deeds:
        send = functools.partial(sent, new_token(), deed)
        with pytest.raises(DatabaseError) as failed, falls(pair, how):
            send()
        told = expected(failed.value)
        assert told is not None
        assert told.status == 503
        # as each request ends
        close_old_connections()
        pair.promote()
        done = [entry.code for entry in entries(row.pk)].count(code)
        assert done == (0 if falls is falls_in_the_middle else 1)
        send()
        assert [entry.code for entry in entries(row.pk)].count(code) == 1
        assert check_custody() is None
    # what a deed leaves to its commit is completed by the worker
    finish_all(StopSignal())
    assert gone(destroyed)
    assert set(contradictions()) <= before_it
    assert list(audit()) == []


def sent(token: str, deed: Callable[[], object]) -> None:
    """Do what a page's form does."""

    def act() -> str:
        deed()
        return "/"

    once(RequestFactory().post("/", {FIELD: token}), act)
