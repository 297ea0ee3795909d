"""Killed at any moment, a recording is closed or sealed, and the next seal finishes it with the same bytes."""

from __future__ import annotations

import pytest
from django.db import connections

from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.ingest import quotas
from archive.recordings.models import Recording, State
from archive.recordings.verification import verify_again
from archive.sealing.audit import audit
from archive.sealing.seal import seal
from tests.archive.page_fixtures import Arrive, entries
from tests.support.archives import Archive
from tests.support.killing import Killer, kills


def test_a_seal_that_is_killed_leaves_a_closed_recording_or_a_sealed_one(
    archive: Archive, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "AN_HOUR", 1000)  # a campaign has more
    killer, states = Killer(lambda: seal(arrive(seconds=2).id)), set()
    for _ in kills(10):
        made = arrive(seconds=2).id
        connections.close_all()
        killer.kill(lambda made=made: seal(made))  # type: ignore[misc]  # mypy does not infer a lambda's default
        row = Recording.objects.get(pk=made)
        states.add(row.state)
        assert row.state in {State.CLOSED, State.SEALED}
        assert (row.state == State.SEALED) == bool(row.package_sha256) == bool(row.receipt)
        assert len(entries(made, "seal")) == (row.state == State.SEALED)
        before = row.package_sha256
        seal(made)
        row.refresh_from_db()
        assert (row.state, before or row.package_sha256) == (State.SEALED, row.package_sha256)
        assert len(entries(made, "seal")) == 1
        assert verify_again(row, ARCHIVE).verdict == "intact"
    assert list(audit()) == []
    assert check_custody() is None
