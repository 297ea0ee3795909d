"""A recording's whole life where packages lie in a bucket of a real server: sealed, heard, checked, destroyed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError
from archive.configuration.storage import Store
from archive.core.jobs import require_all
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording, State
from archive.recordings.playback import open_audio
from archive.records.destruction import deeds
from archive.records.destruction.models import Destruction
from archive.records.destruction.models import State as Standing
from archive.records.errors import DeedError
from archive.sealing.audit import audit
from archive.sealing.seal import seal
from archive.store.current import store
from tests.archive.page_fixtures import Arrive
from tests.archive.records.destruction.scene import make_scene
from tests.support.archives import Archive
from tests.support.lying_s3 import Liar
from tests.support.s3_server import s3_server
from tests.support.s3_stores import NO_DESTRUCTION, on_liar, on_real_server


def choose(patch: pytest.MonkeyPatch, chosen: Store) -> None:
    patch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"store": chosen}))


def test_a_recording_is_sealed_heard_checked_and_destroyed_in_a_bucket(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = on_real_server()
    choose(monkeypatch, Store(engine="s3", s3=chosen))
    with pytest.raises(SettingsError, match="check-store"):
        require_all()
    archive.run("check-store")
    require_all()
    row = Recording.objects.get(pk=sealed(seconds=2).id)
    assert not (archive.home / "store" / row.package).exists()
    assert list(store().names("packages")) == [row.package]
    assert len(open_audio(row).read(0, 100)) == 100
    archive.run("verify", row.pk)
    assert list(audit()) == []
    scene = make_scene(row.pk)
    deeds.carry_out(scene.approved().pk, by=scene.ann)
    assert Destruction.objects.get().state == Standing.DONE
    assert not recording_keys().exists(row.pk)
    listed = s3_server().client().list_object_versions(Bucket=chosen.bucket, Prefix="packages/")
    assert listed.get("Versions", []) == listed.get("DeleteMarkers", []) == [], "no version of it is left"
    assert list(audit()) == []


def test_where_nothing_is_destroyed_before_its_lock_ends_nobody_can_propose_it(
    archive: Archive, sealed: Arrive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path, mode="compliance", **NO_DESTRUCTION)))
    scene = make_scene(sealed(seconds=1).id)
    Recording.objects.update(sealed_at=timezone.now() - timedelta(days=1))
    with pytest.raises(DeedError, match="locked"):
        scene.propose()
    Recording.objects.update(sealed_at=timezone.now() - timedelta(days=3))
    scene.propose()


def test_a_bucket_that_is_away_delays_the_seal_and_loses_nothing(
    archive: Archive, arrive: Arrive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is cut for an hour: what arrives waits here, is sealed once afterwards, and nothing twice."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path)))
    liar.lies = {"unavailable"}
    made = arrive(seconds=1)
    with pytest.raises(StorageError, match="tried again later"):
        seal(made.id)
    assert store().incoming() == [made.id]
    liar.lies = {"cuts after writing"}
    row = seal(made.id)
    assert row.state == State.SEALED
    assert store().incoming() == []
    assert [len(versions) for key, versions in liar.objects.items() if key.startswith("packages/")] == [1]
    assert list(audit()) == []
