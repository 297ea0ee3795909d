"""Two real workers on PostgreSQL: what one of them had in hand when it was killed is finished by the other, once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db.models.functions import Now

from archive.core.jobs import JOBS, TAKE_UP_S
from archive.core.leases import LASTS
from archive.core.models import Lease
from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.recordings.models import Recording, State
from archive.recordings.verification import verify_again
from archive.sealing.audit import audit
from tests.archive.page_fixtures import Arrive, entries
from tests.support.archives import Archive
from tests.support.postgresql import cluster
from tests.support.waiting import PATIENCE_S, until

TAKEN_UP_S = LASTS.total_seconds() + TAKE_UP_S


@contextmanager
def working(archive: Archive) -> Iterator[subprocess.Popen[bytes]]:
    """A `worker`, as systemd would start it."""
    command = [sys.executable, "-m", "archive.command", "worker"]
    process = subprocess.Popen(command, env=archive.environment(), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def holders() -> dict[str, str]:
    """Who holds what now, by the database's clock."""
    return dict(Lease.objects.filter(until__gt=Now()).values_list("name", "holder"))


@pytest.mark.parametrize("engine", ["postgresql"])
def test_what_a_worker_was_killed_in_the_middle_of_is_finished_by_the_other_one_and_once(
    archive: Archive, arrive: Arrive
) -> None:
    # however slow this machine is, the killed worker must not give up by itself before it is killed
    settings = archive.home / "archive.toml"
    settings.write_text(settings.read_text() + "statement_s = 3600\n")
    recording = arrive(seconds=1).id
    seal = f"seal: {recording}"
    with ExitStack() as stack:
        locker = stack.enter_context(cluster().connect(archive.database))
        watcher = stack.enter_context(cluster().connect(archive.database))

        def waits() -> bool:
            found = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
                [archive.database],
            )
            return bool(found.fetchone()[0])

        with locker.transaction():
            locker.execute("SELECT 1 FROM recordings_recording WHERE id = %s FOR UPDATE", [recording])
            killed = stack.enter_context(working(archive))
            until(waits, "a worker in the middle of sealing", alive=lambda: killed.poll() is None)
            before = holders()
            assert Lease.objects.filter(pk=seal).exists()
            other = stack.enter_context(working(archive))
            killed.kill()
            killed.wait()
            # from here on its leases are moved on by nobody
            left = Lease.objects.filter(until__gt=Now() + LASTS)
            assert not left.exists(), "no lease of a dead worker lasts longer than that"
        until(
            lambda: Recording.objects.filter(pk=recording, state=State.SEALED).exists(),
            "the other worker's seal",
            PATIENCE_S + TAKEN_UP_S,
            alive=lambda: other.poll() is None,
        )
        # every job that one worker does alone has its doer again, and it is not the dead one
        dead = set(before.values())
        alone = {f"job: {job.name}" for job in JOBS if job.alone and f"job: {job.name}" in before}

        def taken_up() -> bool:
            now = holders()
            return all(now.get(name) not in dead | {None} for name in alone)

        until(taken_up, "the jobs of the dead one", PATIENCE_S + TAKEN_UP_S, alive=lambda: other.poll() is None)
        until(lambda: seal not in holders())
    assert TAKEN_UP_S <= 30
    assert len(entries(recording, "seal")) == 1
    row = Recording.objects.get(pk=recording)
    assert (row.problem, verify_again(row, ARCHIVE).verdict) == ("", "intact")
    assert list(audit()) == []
    assert check_custody() is None
