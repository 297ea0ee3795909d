"""The computer's draft: asked for, made by the worker after the seal, a draft like any other, or a reason why not."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.configuration.records import Transcription
from archive.core.jobs import JOBS
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.records.errors import DeedError
from archive.records.transcripts import machine_deeds
from archive.records.transcripts.engines.client import EngineError, StoppedError
from archive.records.transcripts.engines.protocol import Begin, Said
from archive.records.transcripts.engines.sound import Stretch
from archive.records.transcripts.machine_deeds import PROBLEMS, ask, draft_asked
from archive.records.transcripts.models import MachineDraft, Source, Transcript
from archive.records.transcripts.reach import cues_of
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive

from .test_engines import MODEL, MODEL_SHA256

Setting = Callable[..., None]


class Heard:
    """In the place of the process: says what the test wants, once for each stretch."""

    said: tuple[Said, ...] = (Said(start_ms=100, end_ms=900, text=" good\u202e  morning "),)
    problem = ""
    got: int = 0

    def __init__(self, begin: Begin, stopped: Callable[[], bool]) -> None:
        if self.problem:
            raise EngineError(self.problem)
        self.program = "test 1.0"

    def transcribe(self, stretch: Stretch) -> Iterator[Said]:
        type(self).got += stretch.samples.size
        yield from self.said

    def close(self) -> None:
        """Nothing is there."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> type[Heard]:
    class Own(Heard):
        pass

    monkeypatch.setattr(machine_deeds, "EngineProcess", Own)
    return Own


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    def sets(**other: Any) -> None:
        typed = {"engine": "pocketsphinx", "model": MODEL, "model_sha256": MODEL_SHA256, **other}
        chosen = Transcription.model_validate(typed)
        monkeypatch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"transcription": chosen}))

    return sets


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    return Recording.objects.get(pk=sealed(seconds=2).id)


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.TRANSCRIBE)


def test_it_is_off_until_the_district_sets_an_engine_up(row: Recording, ann: User) -> None:
    assert settings.ARCHIVE.transcription is None
    with pytest.raises(DeedError, match=r"\[transcription\] in archive.toml"):
        ask(row.pk, by=ann)
    MachineDraft.objects.create(recording=row, asked_at=timezone.now())
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().finished_at is None
    assert any(job.lane == "transcripts" and job.run is draft_asked for job in JOBS), "never in the way of a seal"


def test_the_worker_makes_a_draft_of_kind_machine(
    archive: Archive, row: Recording, ann: User, heard: type[Heard], setting: Setting
) -> None:
    setting()
    client = signed_in(archive, "carol", role="custodian")
    page = check(client.get(f"/recordings/{row.pk}/").content.decode())
    assert "Let the computer draft a transcript" in page.text
    address = f"/recordings/{row.pk}/transcripts/draft/"
    check(client.get(address).content.decode())
    page = check(client.post(address, {"once": "a" * 32}, follow=True).content.decode())
    assert "The computer was asked for a draft" in page.text
    draft_asked(StopSignal())
    made = Transcript.objects.get()
    assert (made.source, made.maker, made.brought_by) == (Source.MACHINE, f"test 1.0, {MODEL.name}", None)
    assert made.answered_at is None
    assert [cue.text for cue in cues_of(made)] == ["good morning"]
    assert heard.got == 2 * 16_000
    (entry,) = entries(row.pk, "transcript")
    assert (entry.actor_type, entry.member("source"), entry.member("model_sha256")) == (
        "archive",
        "machine",
        MODEL_SHA256,
    )
    assert len(entries(row.pk, "transcript-asked")) == 1
    assert not entries(row.pk, "listen"), "nobody heard it"
    page = check(client.get(f"/recordings/{row.pk}/").content.decode())
    assert "written by a computer" in page.text
    assert "Draft: nobody has compared it" in page.text


def test_the_real_process_is_asked(archive: Archive, row: Recording, ann: User, setting: Setting) -> None:
    """With a model that is not the pinned one, so that it ends before it hears anything."""
    setting(model_sha256="0" * 64)
    ask(row.pk, by=ann)
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().problem == "another-model"
    page = check(signed_in(archive, "carol", role="custodian").get(f"/recordings/{row.pk}/").content.decode())
    assert "the model's file is not the one that the settings pin" in page.text


@pytest.mark.parametrize("problem", ["no-model", "not-alone", "engine-died"])
def test_why_there_is_none_is_told_and_can_be_asked_again(
    row: Recording, ann: User, heard: type[Heard], setting: Setting, problem: str
) -> None:
    setting()
    heard.problem = problem
    ask(row.pk, by=ann)
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().problem == problem
    assert problem in PROBLEMS
    draft_asked(StopSignal())
    assert len(entries(row.pk, "transcript-asked")) == 1, "it is not tried again by itself"
    heard.problem = ""
    ask(row.pk, by=ann)
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().problem == ""
    assert Transcript.objects.count() == 1


def test_no_word_and_the_same_words_are_no_draft(
    row: Recording, ann: User, heard: type[Heard], setting: Setting
) -> None:
    setting()
    heard.said = ()
    ask(row.pk, by=ann)
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().problem == "no-words"
    heard.said = Heard.said
    for problem in ("", "same"):
        ask(row.pk, by=ann)
        draft_asked(StopSignal())
        assert MachineDraft.objects.get().problem == problem
    assert Transcript.objects.count() == 1


ODD = {
    "backwards": (Said(start_ms=900, end_ms=100, text="b"), Said(start_ms=100, end_ms=200, text="a")),
    "beyond the end": (Said(start_ms=100, end_ms=200, text="a"), Said(start_ms=9_000_000, end_ms=9_000_001, text="x")),
    "markup": (Said(start_ms=0, end_ms=10**7, text="<script>--> &amp;\n\n00:01.000 --> 00:02.000"),),
    "what nobody can see": (Said(start_ms=0, end_ms=1, text="\u202e\x00"), Said(start_ms=0, end_ms=1, text="a\ufffd")),
    "long": (Said(start_ms=0, end_ms=1, text="&" * 2000),),
}


@pytest.mark.parametrize("case", ODD)
def test_whatever_an_engine_says_is_kept_readable(
    archive: Archive, row: Recording, heard: type[Heard], setting: Setting, case: str
) -> None:
    setting()
    heard.said = ODD[case]
    ask(row.pk, by=None)
    draft_asked(StopSignal())
    assert MachineDraft.objects.get().problem == ""
    cues = cues_of(Transcript.objects.get())
    assert all(0 <= cue.start_ms < cue.end_ms <= 2000 for cue in cues)
    page = check(signed_in(archive, "teacher", Deed.LISTEN).get(f"/recordings/{row.pk}/transcript/").content.decode())
    assert not page.one("main").all("script")


def test_every_recording_gets_one_only_where_the_district_says_so(
    archive: Archive, row: Recording, arrive: Arrive, heard: type[Heard], setting: Setting
) -> None:
    setting()
    draft_asked(StopSignal())
    assert not MachineDraft.objects.exists()
    arrive(seconds=1)
    setting(every=True)
    for _ in range(2):
        draft_asked(StopSignal())
    assert [one.recording_id for one in Transcript.objects.all()] == [row.pk], "none before the seal, and one of each"


def test_a_stop_leaves_it_to_the_next_start_and_two_workers_make_one(
    row: Recording, ann: User, heard: type[Heard], setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting()
    ask(row.pk, by=ann)

    def stopped(self: Heard, stretch: Stretch) -> Iterator[Said]:
        raise StoppedError("stopped")

    monkeypatch.setattr(heard, "transcribe", stopped)
    draft_asked(StopSignal())
    waiting = MachineDraft.objects.get()
    assert (waiting.finished_at, waiting.working_at) == (None, None)
    monkeypatch.undo()
    monkeypatch.setattr(machine_deeds, "EngineProcess", Heard)
    setting()
    MachineDraft.objects.update(working_at=timezone.now())
    draft_asked(StopSignal())
    assert not Transcript.objects.exists(), "another worker makes it"
    MachineDraft.objects.update(working_at=timezone.now() - timedelta(hours=3))
    draft_asked(StopSignal())
    assert Transcript.objects.count() == 1


def test_a_host_whose_clock_is_ahead_takes_nothing_from_a_worker_that_works(
    row: Recording, ann: User, heard: type[Heard], setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting()
    ask(row.pk, by=ann)
    MachineDraft.objects.update(working_at=Now())
    ahead = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    draft_asked(StopSignal())
    assert not Transcript.objects.exists(), "by the database's clock it was heard of just now"


def test_a_recording_that_was_destroyed_meanwhile_gets_none(
    row: Recording, ann: User, heard: type[Heard], setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting()
    ask(row.pk, by=ann)

    def destroyed(_: str) -> Recording:
        raise DestroyedError("this recording was destroyed")

    monkeypatch.setattr("archive.records.transcripts.deeds._sealed", destroyed)
    draft_asked(StopSignal())
    assert not Transcript.objects.exists()
    assert MachineDraft.objects.get().problem == "unreadable"


def test_no_word_stands_in_a_log_of_the_worker(
    row: Recording, ann: User, heard: type[Heard], setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    setting()
    caplog.set_level(logging.DEBUG)
    heard.said = (Said(start_ms=1, end_ms=2, text="Marigold"),)
    for _ in range(2):
        ask(row.pk, by=ann)
        draft_asked(StopSignal())
    assert "no draft" in caplog.text
    assert "Marigold" not in caplog.text


def test_each_reason_has_its_words() -> None:
    """What the engines' side can say, by its source."""
    folder = Path(machine_deeds.__file__).parent
    sources = "".join(one.read_text() for one in [*folder.glob("engines/*.py"), folder / "machine_deeds.py"])
    raised = set(re.findall(r'EngineError\("([a-z-]+)"\)|Failed\(code="([a-z-]+)"\)|return "([a-z-]+)"', sources))
    codes = {code for found in raised for code in found if code} | {"not-alone"}
    assert codes == PROBLEMS.keys() - {"same", "unreadable"} | ({"same", "unreadable"} & codes)
