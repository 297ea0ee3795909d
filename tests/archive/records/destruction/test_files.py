"""A certificate says that names are gone once they are in no file of the database (34 CFR 300.611(a))."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.records.destruction import deeds
from archive.records.destruction.finish_deeds import finish_all
from archive.records.destruction.models import Destruction, Reply, State
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.requests import amendment_deeds
from archive.records.requests.models import AmendmentState
from tests.archive.page_fixtures import entries, signed_in
from tests.archive.records.disclosures.scene import consent
from tests.support.archives import ENGINE, Archive

from .scene import Scene

NAMES = ("Quillfeather", "Wrenhollow", "Ashgrove-Pell", "Thistledown")
"""Each stands in one kind of row that goes with the recording."""
pytestmark = pytest.mark.skipif(ENGINE != "sqlite", reason="a server's files are its own: docs/postgresql.md")


def told_of(scene: Scene) -> Destruction:
    """Let four names stand beside a recording whose destruction is approved."""
    party, recorded, remark, text = NAMES
    disclosure_deeds.enter_consent(scene.row.pk, consent(scene.row, party=f"Dr. {party}"), by=scene.ann)
    disclosure_deeds.enter_recorded(scene.row.pk, f"{recorded}, aunt", None, "", by=scene.ann)
    asked = amendment_deeds.ask_amendment(
        scene.student, scene.parent, scene.row, text=f"{text} was not there.", received_on=timezone.localdate(),
        by=scene.ann,
    )  # fmt: skip
    amendment_deeds.decide(asked.pk, AmendmentState.AMENDED, "it is so", 0, by=scene.ann)
    made = scene.told(scene.propose())
    one = made.told.get()
    deeds.enter_reply(made.pk, one.pk, Reply.AGREES, timezone.localdate(), f"as {remark} said", by=scene.ann)
    deeds.approve(made.pk, by=scene.bob)
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    return made


def holding(archive: Archive) -> set[str]:
    """The names that stand in any file of the archive's folder."""
    files = [path.read_bytes() for path in archive.home.rglob("*") if path.is_file()]
    return {name for name in NAMES if any(name.encode() in data for data in files)}


def test_the_names_are_in_no_file_of_the_folder_afterwards(archive: Archive, scene: Scene) -> None:
    made = told_of(scene)
    assert holding(archive) == set(NAMES)
    deeds.carry_out(made.pk, by=scene.bob)
    made.refresh_from_db()
    assert made.state == State.DONE
    assert holding(archive) == set()


def test_no_certificate_while_somebody_reads_the_database_of_before(archive: Archive, scene: Scene) -> None:
    made = told_of(scene)
    reader = sqlite3.connect(archive.home / "archive.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM disclosures_consent").fetchone()
    deeds.carry_out(made.pk, by=scene.bob)
    made.refresh_from_db()
    assert (made.state, made.finished_at) == (State.CLOSING, None)
    assert made.erased_at is not None, "the rows are gone at once"
    removed = made.removed
    assert removed["consents"] == 1
    assert holding(archive)
    client = signed_in(archive, "carol", role="custodian")
    assert b"%PDF-" not in client.get(f"/destructions/{made.pk}/certificate.pdf").content[:5]
    finish_all(StopSignal())
    assert not entries(scene.row.pk, "destruction-finished"), "the worker asks again, and says nothing before"
    reader.execute("COMMIT")
    finish_all(StopSignal())
    made.refresh_from_db()
    assert (made.state, made.removed) == (State.DONE, removed), "what was removed is counted once"
    assert len(entries(scene.row.pk, "destruction-finished")) == 1
    assert holding(archive) == set()
    assert client.get(f"/destructions/{made.pk}/certificate.pdf").content.startswith(b"%PDF-")
    reader.close()
