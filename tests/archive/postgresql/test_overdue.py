"""A database server that hangs: whoever waits for its answer gives up, whatever becomes of the server's own limits."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from django.db import OperationalError, close_old_connections, connection, connections
from django.utils import timezone

from archive.core.models import SentForm
from archive.core.once import new_token
from archive.database import LATE_S, use_pool
from archive.postgresql.driver import OverdueError, in_time
from tests.support.archives import Archive
from tests.support.postgresql import cluster
from tests.support.waiting import until

on_postgresql = pytest.mark.parametrize("engine", ["postgresql"])


@on_postgresql
def test_what_a_server_that_hangs_does_not_answer_is_given_up_and_the_next_connection_works(archive: Archive) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    given_up = connection.connection
    given_up.answer_s = 0.2
    # its kernel acknowledges what arrives, and its limits stand still as it does
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(OperationalError, match=r"did not answer for 0\.2 s"):
            SentForm.objects.exists()
        assert given_up.closed, "a late answer would be taken for that to the next statement"
        # as each request ends
        close_old_connections()
        assert not SentForm.objects.exists()
    finally:
        os.kill(pid, signal.SIGCONT)


@on_postgresql
def test_a_commit_that_waits_for_a_standby_that_is_gone_is_given_up_and_stands(archive: Archive) -> None:
    token = ""

    def is_given_up() -> bool:
        nonlocal token
        token = new_token()
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
        connection.connection.answer_s = 0.5
        try:
            SentForm.objects.create(token=token, at=timezone.now())
        except OperationalError as error:
            return "did not answer" in str(error)
        return False

    with cluster().connect(archive.database) as direct:
        direct.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
        direct.execute("SELECT pg_reload_conf()")
        try:
            # it takes the server a moment to read that
            until(is_given_up, "a commit that waits")
        finally:
            direct.execute("ALTER SYSTEM RESET synchronous_standby_names")
            direct.execute("SELECT pg_reload_conf()")
    close_old_connections()
    until(SentForm.objects.filter(pk=token).exists, "what the server kept")


@on_postgresql
@pytest.mark.parametrize("pooled", [False, True])
def test_every_connection_waits_a_little_longer_than_the_server_lets_a_statement_run(
    archive: Archive, pooled: bool
) -> None:
    if pooled:
        # the one without a pool, which made the box known
        connection.close()
        use_pool(connections.databases["default"], 1)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        (seconds,) = cursor.fetchone()
    assert connection.connection.answer_s == int(seconds.removesuffix("s")) + LATE_S
    if pooled:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # this engine has one


def test_work_that_brings_its_answer_in_time_is_left_alone_however_often_it_waits() -> None:
    def work() -> Generator[str, bool, int]:
        found = 0
        for _ in range(3):
            found += yield "read"
        return found

    watched = in_time(work(), 3600)
    assert [next(watched), watched.send(True), watched.send(False)] == ["read"] * 3
    with pytest.raises(StopIteration) as done:
        watched.send(True)
    assert done.value.value == 2


def test_time_is_over_only_where_nothing_came() -> None:
    def work() -> Generator[str, bool, None]:
        while True:
            yield "read"

    watched = in_time(work(), 0.0)
    next(watched)
    assert watched.send(True) == "read"
    with pytest.raises(OverdueError):
        watched.send(False)
