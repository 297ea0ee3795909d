"""The network between archive and database swallows everything: nothing is refused or ended, and nobody hears a word.

What was asked ends by the limits of docs/postgresql.md and not with the network's return; nothing that was answered is
lost, nothing is twice, a lock of somebody who cannot be reached any more keeps nobody out, and all goes on by itself.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests
from django.db import DatabaseError, close_old_connections, connection

from archive.access.deeds import Deed
from archive.core.errors import expected
from archive.core.once import new_token
from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.database import CONNECT_S, GONE_S
from archive.recordings.models import Recording as Row
from archive.recordings.models import State
from archive.recordings.verification import verify_again
from archive.records.holds import deeds as hold_deeds
from archive.sealing.audit import audit
from tests.archive.failover.test_failover import Box, sent
from tests.archive.page_fixtures import Arrive, entries, make_user, sign_in_over_http
from tests.archive.records.factories import make_matter
from tests.archive.sealing.test_workers import working
from tests.support.archives import ENGINE, SETTINGS, Archive, prepared, template
from tests.support.cable import Cable, cable_to
from tests.support.lateness import SECOND, Lateness
from tests.support.postgresql import Cluster, cluster, new_folder, section
from tests.support.postgresql_pair import copy_of
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(
    ENGINE != "postgresql", reason="it needs a PostgreSQL server of its own: ./deploy/test --postgresql runs it"
)
TIMERS_S = 5.0
"""What the kernel's timers add: a retransmission or a probe of TCP is due some seconds after the moment it decides."""
REQUEST_S = GONE_S + CONNECT_S + TIMERS_S
"""So long a request may take at most: its connection is given up, and another one is not to be had."""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server with the archive's tables that is asked over TCP."""
    template("postgresql")
    # an address of this process's own: the port is everybody's
    made = copy_of(cluster(), new_folder(), listen_addresses=address())
    yield made
    made.end()


def address() -> str:
    """Return an address of the loopback for a server of this process."""
    high, low = divmod(os.getpid() % 62_500, 250)
    return f"127.9.{high + 1}.{low + 1}"


@pytest.fixture
def cable(server: Cluster) -> Iterator[Cable]:
    """The cable between archive and database."""
    with cable_to(address(), 5432) as made:
        yield made


@pytest.fixture
def archive(server: Cluster, cable: Cable, tmp_path: Path) -> Iterator[Archive]:
    """An archive at that cable, and one box."""
    base, home = template("postgresql"), tmp_path / "archive"
    shutil.copytree(base.home, home)
    name = server.create(base.database)
    (home / "archive.toml").write_text(SETTINGS + section("127.0.0.1", name, cable.port))
    made = Archive(home, database=name)
    with prepared(made):
        yield made
    # whatever it left open
    server.drop(name)


def test_a_box_and_a_reader_are_answered_while_the_database_has_vanished_and_nothing_is_lost(
    archive: Archive, cable: Cable, tmp_path: Path, machine: Lateness
) -> None:
    reader = make_user("m.jones", role="custodian")
    before_it = set(contradictions())
    refused_ns: list[tuple[int, int]] = []
    with archive.serving(workers=1) as url, working(archive) as worker, requests.Session() as browser:
        sign_in_over_http(browser, url, reader)
        servers = url.workers()

        def look() -> int:
            began = time.monotonic_ns()
            status = browser.get(f"{url}/recordings/", allow_redirects=False, timeout=300).status_code
            if status != 200:
                refused_ns.append((began, time.monotonic_ns()))
            return status

        box = Box(archive, url, tmp_path / "spool")
        box.start()
        try:
            until(lambda: box.whole, "a recording", alive=box.is_alive)
            # in the middle of whatever the box asks just now
            cable.unplug()
            assert look() == 503
            until(lambda: box.answers[503] >= 2, "refusals", 300, alive=box.is_alive)
            assert look() == 503, "a connection that is new as well"
            assert requests.get(f"{url}/livez", timeout=300).status_code == 200
            assert requests.get(f"{url}/readyz", timeout=300).status_code == 503
            cable.plug()
            whole = len(box.whole)
            until(lambda: len(box.whole) >= whole + 2, "two recordings more", 300, alive=box.is_alive)
            # whoever was signed in still is
            until(lambda: look() == 200, "the page again", 300)
        finally:
            cable.plug()
            box.end()
        taken = {made.id for made in box.whole}

        def all_sealed() -> bool:
            close_old_connections()
            return taken <= set(Row.objects.filter(state=State.SEALED).values_list("pk", flat=True))

        until(all_sealed, "the seals", 300, alive=lambda: worker.poll() is None)
        assert url.workers() == servers
    for began, ended in refused_ns:
        assert machine.taken_ns(began, ended) <= REQUEST_S * SECOND
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
def before_the_commit(cable: Cable, _server: Cluster, _database: str) -> Iterator[None]:
    """Unplug the cable once the deed's entry is written, before the rest of the deed."""

    def watched(execute: Callable[..., object], sql: str, *others: object) -> object:
        done = execute(sql, *others)
        if 'INSERT INTO "custody_entry"' in sql:
            cable.unplug()
        return done

    with connection.execute_wrapper(watched):
        yield


@contextmanager
def before_the_answer(cable: Cable, server: Cluster, database: str) -> Iterator[None]:
    """Unplug it when the server has committed, before the archive hears so."""
    commit = connection._commit  # type: ignore[attr-defined]  # every engine has one

    def watched() -> None:
        with server.connect(database) as direct:
            count = "SELECT count(*) FROM custody_entry"
            before = direct.execute(count).fetchone()
            cable.lose_answers()

            def unplug() -> None:
                until(lambda: direct.execute(count).fetchone() != before, "the commit")
                cable.unplug()

            then = threading.Thread(target=unplug)
            then.start()
            try:
                commit()
            finally:
                then.join()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_commit", watched)
        yield


@pytest.mark.parametrize("vanishes", [before_the_commit, before_the_answer])
def test_a_deed_in_hand_ends_in_time_keeps_nobody_out_and_is_done_once(  # noqa: PLR0917 - all are fixtures
    archive: Archive,
    server: Cluster,
    cable: Cable,
    sealed: Arrive,
    vanishes: Callable[..., AbstractContextManager[None]],
    machine: Lateness,
) -> None:
    row, matter = Row.objects.get(pk=sealed(seconds=1).id), make_matter()
    ann = make_user("clerk", Deed.HOLD)
    before_it = set(contradictions())
    token = new_token()

    def send() -> None:
        sent(token, lambda: hold_deeds.hold(matter.pk, row, by=ann))

    began = time.monotonic_ns()
    with pytest.raises(DatabaseError) as failed, vanishes(cable, server, archive.database):
        send()
    assert machine.taken_ns(began, time.monotonic_ns()) <= REQUEST_S * SECOND
    told = expected(failed.value)
    assert told is not None
    assert told.status == 503
    # another host, which reaches the server, waits for the log's end no longer
    with server.connect(archive.database) as direct, direct.transaction():
        direct.execute("SET LOCAL lock_timeout = '300s'")
        direct.execute("SELECT 1 FROM custody_head FOR UPDATE")
    assert machine.taken_ns(began, time.monotonic_ns()) <= REQUEST_S * SECOND
    # as each request ends
    close_old_connections()
    cable.plug()
    done = [entry.code for entry in entries(row.pk)].count("hold")
    assert done == (0 if vanishes is before_the_commit else 1)
    send()
    assert [entry.code for entry in entries(row.pk)].count("hold") == 1
    assert check_custody() is None
    assert set(contradictions()) <= before_it
    assert list(audit()) == []
