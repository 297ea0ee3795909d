"""Redacted copies go with their recording: destroyed, killed while they are made, backed up, and brought back."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.destruction.models import Destruction
from archive.records.destruction.models import State as Destroyed
from archive.records.redactions import deeds
from archive.records.redactions.make_deeds import make, make_asked
from archive.records.redactions.models import Hearing, Passage, Redaction, State
from archive.records.redactions.reach import opened
from archive.sealing.audit import Code, audit, repair
from archive.store.base import derivatives_folder
from archive.store.current import store
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user
from tests.archive.records.destruction.scene import make_scene as make_destruction
from tests.support.archives import Archive
from tests.support.killing import kills

from .scene import Scene, make_scene, passage


def objects(recording: str) -> list[str]:
    return sorted(store().names(derivatives_folder(recording)))


def both(archive: Archive, recording: str) -> tuple[Any, Scene]:
    """What a destruction needs, and what a redacted copy needs, of one recording."""
    scene = make_destruction(recording)
    made = Scene(
        *(archive, scene.row, make_user("rae", Deed.REDACT), make_user("rob", Deed.REDACT)),
        *(scene.student, scene.parent),
    )
    return scene, made


def test_with_its_recording_a_copy_is_destroyed_and_its_rows_with_it(archive: Archive, sealed: Arrive) -> None:
    scene, redacting = both(archive, sealed(seconds=2).id)
    signed, draft = redacting.signed(passage(0, RATE)), redacting.begun(passage(0, 9))
    path = settings.ARCHIVE_HOME / "store" / signed.object
    kept = path.read_bytes()
    destruction_deeds.carry_out(scene.approved().pk, by=scene.ann)
    assert objects(scene.row.pk) == []
    assert not any(rows.objects.exists() for rows in (Redaction, Passage, Hearing))
    done = Destruction.objects.get()
    assert done.state == Destroyed.DONE
    assert done.removed["redacted copies"] == 2
    client = redacting.client(redacting.ann)
    for one in (signed, draft):
        for rest in ("", "audio.wav", "exemptions/", "exemptions.pdf"):
            assert client.get(redacting.address(one, rest)).status_code in {404, 410}
    assert client.get(f"/recordings/{scene.row.pk}/redactions/new/").status_code == 410
    with pytest.raises(DestroyedError):
        deeds.begin(scene.row.pk, "x", None, by=redacting.ann)
    assert check_custody() is None
    assert not [one for one in contradictions() if "redacted" in one]
    # a general backup brings its file back: it opens nothing, is found, and goes again
    path.write_bytes(kept)
    (found,) = list(audit())
    assert (found.code, found.recording) == (Code.LEFT, scene.row.pk)
    assert repair(found, ARCHIVE) == ""
    assert objects(scene.row.pk) == []


def test_a_recording_that_is_destroyed_while_a_copy_is_made_leaves_none(archive: Archive, sealed: Arrive) -> None:
    scene, redacting = both(archive, sealed(seconds=2).id)
    asked, approved, done = redacting.asked(passage(0, RATE)), scene.approved(), list[Destruction]()

    def told(*_: int) -> None:
        if not done:
            done.append(destruction_deeds.carry_out(approved.pk, by=scene.ann))

    with pytest.raises(DestroyedError):
        # it has begun to read; the next piece's key is gone, or the row
        _made_or_destroyed(asked, told)
    assert objects(scene.row.pk) == []
    assert not Redaction.objects.exists()
    make_asked(StopSignal())


def _made_or_destroyed(asked: Redaction, told: Any) -> None:
    from appliance.contract.errors import PlainSightError  # noqa: PLC0415 - beside its use

    try:
        make(asked, told)
    except PlainSightError as error:
        raise DestroyedError(error.message) from error
    if Recording.objects.get(pk=asked.recording_id).destroyed_at is not None:
        raise DestroyedError("it was destroyed meanwhile")


def test_killed_at_any_moment_there_is_no_copy_or_a_whole_one(archive: Archive, sealed: Arrive) -> None:
    scene, states = make_scene(archive, sealed(seconds=25).id), set()
    rng = random.Random(13)
    began = time.monotonic()
    asked = scene.made()
    whole_s = time.monotonic() - began
    for _ in kills(8):
        asked = scene.asked(passage(RATE, 20 * RATE))
        connections.close_all()
        child = os.fork()
        if not child:
            try:
                make_asked(StopSignal())
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0, 1.2 * whole_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        row = Redaction.objects.get(pk=asked.pk)
        states.add(row.state)
        assert row.state in {State.ASKED, State.MADE}
        assert bool(row.object) == (row.state == State.MADE), "nothing half"
        # the next worker looks when a minute has passed
        Redaction.objects.filter(state=State.ASKED).update(working_at=None)
        make_asked(StopSignal())
        row = Redaction.objects.select_related("recording").get(pk=asked.pk)
        assert row.state == State.MADE, row.problem
        whole = Redaction.objects.filter(state=State.MADE).count()
        assert len(entries(scene.row.pk, "redaction-made")) == whole, "each is entered once"
        with opened(row) as reader:
            assert len(reader.read(0, row.recording.frames)) == row.recording.frames
        assert [one for one in objects(scene.row.pk) if row.pk.hex in one] == [row.object], "what a kill left is gone"
    assert states <= {State.ASKED, State.MADE}
    assert not [one for one in contradictions() if "redacted" in one]


def test_a_backup_holds_the_copies_and_gives_them_up_with_their_recording(
    archive: Archive, sealed: Arrive, tmp_path: Path
) -> None:
    from archive.backup.copying import back_up  # noqa: PLC0415 - models need Django

    scene, redacting = both(archive, sealed(seconds=1).id)
    made = redacting.signed(passage(0, 100))
    folder = tmp_path / "backups"
    back_up(folder, timezone.now())
    assert (folder / made.object).read_bytes() == store().read(made.object)
    destruction_deeds.carry_out(scene.approved().pk, by=scene.ann)
    back_up(folder, timezone.now() + timedelta(seconds=2))
    assert not [one for one in (folder / "derivatives").rglob("*") if one.is_file()]
