"""What the database itself refuses: the same on both engines, in the same words, whichever way somebody tries."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody import triggers as custody
from archive.custody.heads import signed_head
from archive.custody.models import Entry
from archive.records.destruction import triggers as destruction
from archive.records.disclosures import triggers as disclosures
from archive.records.holds import triggers as holds
from archive.records.holds.models import Held, Matter
from archive.records.incidents import triggers as incidents
from archive.records.outside_recordings import triggers as outside_recordings
from archive.records.redactions import triggers as redactions
from archive.records.restrictions import triggers as restrictions
from archive.records.retention import triggers as retention
from archive.records.retention.models import Answer, Series
from archive.records.transcripts import triggers as transcripts
from archive.records.transcripts.models import Transcript
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import NOON, make_hold, make_matter
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive, without_triggers

ENTRY = "(n, version, at, actor_type, actor_id, subject_type, subject_id, code, detail, prev, digest)"
ON_BOTH = [
    "UPDATE custody_entry SET actor_id = 'nobody' WHERE n = 2",
    "UPDATE custody_entry SET n = 900 WHERE n = 2",
    "DELETE FROM custody_entry WHERE n = 2",
    "DELETE FROM custody_entry",
    f"""INSERT INTO custody_entry {ENTRY} VALUES (2, 1, '', '', '', '', '', 'x', '{{}}', '', '')
        ON CONFLICT (n) DO UPDATE SET code = 'x'""",
    "DELETE FROM custody_signedhead",
    "UPDATE custody_signedhead SET line = ''",
    "DELETE FROM recordings_recording",
    "DELETE FROM holds_held",
    "UPDATE holds_held SET released_at = '2026-03-04 15:00:00+00:00'",
    "UPDATE holds_held SET recording_id = NULL",
    "DELETE FROM holds_matter",
    "UPDATE holds_matter SET released_at = '2026-03-04 15:00:00+00:00'",
    "DELETE FROM retention_answer",
    "UPDATE retention_answer SET years = 1",
    "UPDATE retention_answer SET number = 7",
    "DELETE FROM retention_series",
    "UPDATE retention_series SET kinds = '[]'",
    "UPDATE recordings_recording SET destroyed_at = '2026-03-04 15:00:00+00:00'",
    "UPDATE outside_recordings_outsiderecording SET destroyed_at = '2026-03-04 15:00:00+00:00'",
    "UPDATE outside_recordings_outsiderecording SET given_up_at = '2026-03-04 15:00:00+00:00', made_by = 'x'",
    "UPDATE outside_recordings_outsiderecording SET sha256 = 'x'",
    "DELETE FROM outside_recordings_outsiderecording",
    "DELETE FROM transcripts_transcript",
    "UPDATE transcripts_transcript SET version = 7",
    "UPDATE transcripts_transcript SET sha256 = 'x'",
    "UPDATE transcripts_transcript SET encrypted = (SELECT header FROM recordings_recording LIMIT 1)",
    "UPDATE transcripts_transcript SET answered_at = NULL, answered_name = ''",
    "UPDATE transcripts_transcript SET answered_name = 'somebody else'",
]
OF_ONE = {
    "sqlite": [
        "UPDATE OR REPLACE custody_entry SET n = 3 WHERE n = 2",
        "REPLACE INTO custody_signedhead (n, line) SELECT n, '' FROM custody_signedhead",
        "REPLACE INTO custody_entry SELECT * FROM custody_entry",
        "REPLACE INTO recordings_recording SELECT * FROM recordings_recording",
        "REPLACE INTO holds_held SELECT * FROM holds_held",
        "REPLACE INTO holds_matter SELECT * FROM holds_matter",
        "UPDATE OR REPLACE holds_matter SET id = (SELECT max(id) FROM holds_matter)",
        "REPLACE INTO retention_series SELECT * FROM retention_series",
        "REPLACE INTO retention_answer SELECT * FROM retention_answer",
        "REPLACE INTO transcripts_transcript SELECT * FROM transcripts_transcript",
    ],
    "postgresql": [
        "TRUNCATE custody_entry",
        "TRUNCATE custody_signedhead",
        "TRUNCATE recordings_recording CASCADE",
        "TRUNCATE holds_held",
        "TRUNCATE holds_matter CASCADE",
        "TRUNCATE retention_answer CASCADE",
        "TRUNCATE retention_series CASCADE",
        "TRUNCATE transcripts_transcript",
    ],
}
"""The ways around a DELETE that only one of them has."""
ALL = (
    *custody.REFUSALS,
    *holds.REFUSALS,
    *retention.REFUSALS,
    *destruction.REFUSALS,
    *transcripts.REFUSALS,
    *redactions.REFUSALS,
    *incidents.REFUSALS,
    *outside_recordings.REFUSALS,
    *restrictions.REFUSALS,
    *disclosures.REFUSALS,
)
MESSAGES = {one.message for one in ALL}


class Editor:
    """A schema editor that only notes what it is to execute."""

    def __init__(self, vendor: str) -> None:
        self.connection = SimpleNamespace(vendor=vendor)
        self.executed: list[tuple[str, Any]] = []

    def execute(self, statement: str, params: Any = ()) -> None:
        self.executed.append((statement, params))


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_a_percent_sign_in_a_condition_is_one(vendor: str) -> None:
    """With parameters, even none, psycopg takes it for a place of one: no migration came to its end there."""
    editor = Editor(vendor)
    triggers.install(editor, [Refusal("no_x", "UPDATE", "thing", "NEW.detail LIKE '%x%'", "never")])
    assert any("'%x%'" in statement for statement, _ in editor.executed)
    assert {params for _, params in editor.executed} == {None}


def contents() -> list[list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        tables = sorted({one.table for one in ALL})
        found = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            found.append([tuple(map(str, row)) for row in cursor.fetchall()])
        return found


@pytest.mark.both_engines
def test_every_way_to_change_what_is_kept_is_refused_and_changes_nothing(archive: Archive, sealed: Arrive) -> None:
    for title in ("Torres v. District", "Lee v. District"):
        make_hold(make_matter(title), recording_id=sealed(seconds=1).id)
    make_hold(make_matter("Vo v. District"), outside=brought(make_user("ann"), sound("FLAC")))
    series = Series.objects.create(code="S", title="Meetings", kinds=["iep"], entered_at=NOON)
    why = {"citation": "RSMo 109", "advice": "Counsel Lee", "decided_by": "the board", "decided_on": NOON.date()}
    with without_triggers():
        Answer.objects.create(
            series=series, number=1, permanent=False, years=7, counts_from="meeting", entry=1, entered_at=NOON, **why
        )
    Transcript.objects.create(
        recording_id=sealed(seconds=1).id,
        version=1,
        package_sha256="0" * 64,
        source="cart",
        language="en",
        maker="a captioner",
        sha256="1" * 64,
        cues=1,
        encrypted=b"x",
        brought_at=NOON,
        answered_at=NOON,
        answered_name="A. Ruiz",
    )
    signed_head()
    assert Entry.objects.count() > 4
    assert (Held.objects.count(), Matter.objects.count()) == (3, 3)
    before = contents()
    let_through = {}
    for statement in [*ON_BOTH, *OF_ONE[archive.engine]]:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            let_through[statement] = "nobody"
        except IntegrityError as error:
            if not any(message in str(error) for message in MESSAGES):
                let_through[statement] = str(error)
        assert contents() == before, statement
    assert let_through == {}


@pytest.mark.both_engines
def test_every_trigger_and_every_constraint_of_the_models_is_in_the_database(archive: Archive) -> None:
    statement = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
    }[archive.engine]
    with connection.cursor() as cursor:
        cursor.execute(statement)
        noting = {one.name for one in incidents.NOTES}
        assert {name for (name,) in cursor.fetchall()} == triggers.names(archive.engine, ALL) | noting
        missing = {
            constraint.name
            for model in apps.get_models()
            for constraint in model._meta.constraints
            if constraint.name not in connection.introspection.get_constraints(cursor, model._meta.db_table)
        }
    assert missing == set()
