"""A redacted copy: made by the worker, exact to the sample, heard by a second listener, and not outside before that."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import soundfile
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.errors import NotSealedError, StorageError
from appliance.contract.segment import decode
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.recordings.parts import audible
from archive.recordings.secrets import secret_of
from archive.records.errors import DeedError, SecondPersonError, UnknownRecordError
from archive.records.holds import deeds as hold_deeds
from archive.records.redactions import deeds, make_deeds
from archive.records.redactions.clear_deeds import clear_withdrawn
from archive.records.redactions.derivative_file import MANIFEST, piece_name
from archive.records.redactions.make_deeds import LEFT, NotExactError, make, make_asked
from archive.records.redactions.models import Basis, Hearing, Passage, Redaction, State
from archive.records.redactions.reach import gaps_of, opened
from archive.records.redactions.rules import Span
from archive.records.redactions.sound import How, redacted
from archive.records.restrictions import deeds as restriction_deeds
from archive.store.base import derivatives_folder
from archive.store.current import store
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_matter,
    make_meeting,
    make_student,
)
from tests.support.archives import Archive, lose_key, send
from tests.support.spools import Recording as Spooled

from .scene import Scene, make_scene, passage


@pytest.fixture
def scene(archive: Archive, sealed: Arrive) -> Scene:
    return make_scene(archive, sealed(seconds=4).id)


def objects(scene: Scene) -> list[str]:
    return sorted(store().names(derivatives_folder(scene.row.pk)))


def inside(made: Redaction) -> Any:
    mask = np.zeros(made.recording.frames, np.bool_)
    for one in made.passages.all():
        mask[one.first_frame : one.last_frame] = True
    return mask


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_a_copy_is_exact_to_the_sample_at_every_rate(archive: Archive, sealed: Arrive, rate: int) -> None:
    scene = make_scene(archive, sealed(seconds=12, rate=rate, segment_frames=rate).id)
    before = scene.original
    made = scene.made(
        passage(rate + 7, 3 * rate - 1),
        passage(2 * rate, 4 * rate, How.MUTE),
        passage(4 * rate, 4 * rate + 1),
        passage(9 * rate + 500, 10 * rate + 500),
        passage(11 * rate, None),
    )
    heard, mask = scene.hear(made, scene.bob), inside(made)
    assert int((heard[~mask] != before[~mask]).sum()) == 0, "samples changed outside"
    assert int((heard[mask] == before[mask]).sum()) < mask.sum() / 1000, "noise equals a tone by chance alone"
    assert not heard[2 * rate : 4 * rate].any(), "silence goes before the tone"
    assert heard[rate + 7 : 2 * rate].any()
    assert (made.outside, made.inside) == (int((~mask).sum()), int(mask.sum()))
    assert np.array_equal(scene.original, before), "the original is never touched"
    assert scene.row.package_sha256 == Recording.objects.get(pk=scene.row.pk).package_sha256


def test_the_copy_s_file_opens_with_age_and_flac_alone_and_its_manifest_names_every_piece(scene: Scene) -> None:
    made = scene.made()
    data = store().read(made.object)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        lines = file.read(MANIFEST).decode().splitlines()
        assert [line[66:] for line in lines] == [piece_name(0), "derivative.json"]
        assert json.loads(file.read("derivative.json"))["frames"] == made.recording.frames
        plain = secret_of(scene.row.pk).decrypt(file.read(piece_name(0)))
    assert plain.startswith(b"fLaC")
    samples = decode(plain, made.recording.frames, RATE)
    with opened(made) as reader:
        assert np.array_equal(samples, reader.read(0, made.recording.frames))
    assert len(plain) == 4096 + 2 * made.recording.frames, "its size tells nothing of what is silent"
    keys = settings.ARCHIVE_HOME / "store"
    assert not [one for one in keys.rglob("*") if "AGE-SECRET-KEY" in one.name or one.suffix == ".txt"]


def test_gaps_stay_silent_also_under_a_tone(archive: Archive, tmp_path: Any) -> None:
    from archive.sealing.seal import seal  # noqa: PLC0415 - models need Django

    spooled = Spooled(tmp_path / "spool", archive.keys, rate=RATE, segment_frames=RATE)
    spooled.begin()
    spooled.segment()
    spooled.gap(RATE)
    spooled.segment(np.zeros(RATE, np.int16))
    spooled.segment()
    spooled.close("button")
    send(archive.client(), spooled)
    seal(spooled.id)
    scene = make_scene(archive, spooled.id)
    (gap,) = gaps_of(scene.row)
    assert not scene.original[gap.first : gap.last].any()
    made = scene.made(passage(gap.first - 100, gap.last + 100))
    heard = scene.hear(made, scene.bob)
    assert len(heard) == scene.row.frames, "nothing is cut out"
    assert not heard[gap.first : gap.last].any()
    assert heard[gap.first - 100 : gap.first].any()
    assert heard[gap.last : gap.last + 100].any()


@pytest.mark.parametrize(("first", "last"), [(5, 5), (6, 5), (10**9, None), (0, 10**9), (4 * RATE, None)])
def test_a_passage_lies_inside_its_recording(scene: Scene, first: int, last: int | None) -> None:
    made = scene.begun()
    with pytest.raises(DeedError, match="inside"):
        deeds.enter_passage(scene.row.pk, made.pk, passage(first, last), by=scene.ann)
    with pytest.raises(DeedError, match="there already"):
        deeds.enter_passage(scene.row.pk, made.pk, passage(RATE, 2 * RATE), by=scene.ann)


def test_a_copy_without_passages_is_none(scene: Scene) -> None:
    made = scene.begun()
    deeds.remove_passage(scene.row.pk, made.pk, made.passages.get().pk, by=scene.ann)
    with pytest.raises(DeedError, match="without passages"):
        deeds.ask(scene.row.pk, made.pk, by=scene.ann)


def test_all_of_it_is_in_the_log_and_its_digest_too(scene: Scene) -> None:
    made = scene.signed()
    codes = [one.code for one in entries(scene.row.pk) if one.code.startswith(("redaction", "listen"))]
    assert codes == [
        *("redaction", "redaction-passage", "redaction-asked", "redaction-made", "listen", "redaction-signed-off"),
    ]
    (entry,) = entries(scene.row.pk, "redaction-made")
    assert entry.member("sha256") == made.sha256
    (heard,) = entries(scene.row.pk, "listen")
    assert (heard.member("redaction"), heard.actor_id) == (made.pk.hex, str(scene.bob.pk))
    (signed,) = entries(scene.row.pk, "redaction-signed-off")
    assert (signed.member("sha256"), signed.member("heard_s")) == (made.sha256, 4)
    assert check_custody() is None
    assert not [one for one in contradictions() if "redacted" in one]


def test_whoever_made_it_signs_nothing_off(scene: Scene) -> None:
    made = scene.begun()
    deeds.enter_passage(scene.row.pk, made.pk, passage(0, 10), by=scene.bob)
    carol = make_user("carol", Deed.REDACT)
    deeds.ask(scene.row.pk, made.pk, by=carol)
    make_asked(StopSignal())
    for maker in (scene.ann, scene.bob, carol):
        scene.hear(Redaction.objects.get(pk=made.pk), maker)
        with pytest.raises(SecondPersonError, match="yourself"):
            deeds.sign_off(scene.row.pk, made.pk, by=maker)
    dave = make_user("dave", Deed.REDACT)
    scene.hear(Redaction.objects.get(pk=made.pk), dave)
    assert deeds.sign_off(scene.row.pk, made.pk, by=dave).state == State.SIGNED


def test_who_did_not_listen_to_all_of_it_signs_nothing_off(scene: Scene) -> None:
    made = scene.made()
    with pytest.raises(DeedError, match="not listened to all"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    client, there = scene.client(scene.bob), scene.address(made, "audio.wav")
    b"".join(client.get(there, headers={"Range": f"bytes=0-{44 + 2 * RATE - 1}"}))
    assert deeds.not_heard_yet(made, scene.bob) == (Span(2 * RATE, 4 * RATE),), "the passage itself need not be heard"
    with pytest.raises(DeedError, match="2 s are left"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    b"".join(client.get(there))
    with pytest.raises(DeedError, match="cannot have been heard"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    Hearing.objects.update(began_at=timezone.now() - timedelta(seconds=30))
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_what_a_player_did_not_take_was_not_heard(scene: Scene) -> None:
    made = scene.made()
    answer = scene.client(scene.bob).get(scene.address(made, "audio.wav"))
    pieces = iter(answer)
    next(pieces)
    next(pieces)
    next(pieces)
    answer.close()
    left = deeds.not_heard_yet(made, scene.bob)
    assert left, "it went away after a second"
    assert left[-1].last == 4 * RATE


def test_a_server_that_has_sent_all_and_asks_no_more_has_sent_the_last_second_too(scene: Scene) -> None:
    made = scene.made()
    answer = scene.client(scene.bob).get(scene.address(made, "audio.wav"))
    pieces, size = iter(answer), int(answer["Content-Length"])
    while size:
        size -= len(next(pieces))
    answer.close()
    assert not deeds.not_heard_yet(made, scene.bob)


def test_a_copy_that_is_made_anew_is_heard_anew(scene: Scene) -> None:
    made = scene.made()
    scene.hear(made, scene.bob)
    deeds.reopen(scene.row.pk, made.pk, by=scene.bob)
    assert objects(scene) == []
    deeds.ask(scene.row.pk, made.pk, by=scene.ann)
    make_asked(StopSignal())
    with pytest.raises(DeedError, match="not listened"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_an_entry_of_the_log_is_asked_for_and_not_the_row_alone(scene: Scene) -> None:
    """Somebody with a shell enters a hearing that never was; the log has no begin of it."""
    made = scene.made()
    Hearing.objects.create(
        redaction=made,
        user=scene.bob,
        sha256=made.sha256,
        began_at=timezone.now() - timedelta(hours=1),
        spans=[[0, scene.row.frames]],
    )
    with pytest.raises(DeedError, match="since you began"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_a_shell_signs_nothing_off_changes_nothing_and_deletes_nothing(scene: Scene) -> None:
    made = scene.made()
    for wrong in (
        {"signed_at": timezone.now(), "signed_by": scene.bob, "state": State.SIGNED},
        {"signed_by": scene.ann},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Redaction.objects.filter(pk=made.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Passage.objects.update(last_frame=RATE + 1)
    for rows in (Passage.objects.all(), Redaction.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows._raw_delete(rows.db)
    scene.hear(made, scene.bob)
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    for changed in ({"sha256": "0" * 64}, {"object": "x"}, {"student": scene.student}, {"signed_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Redaction.objects.filter(pk=made.pk).update(**changed)


def test_the_log_contradicts_a_copy_that_is_another_one_or_gone(scene: Scene) -> None:
    made = scene.made()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redactions_redaction SET sha256 = %s", ["0" * 64])
    assert [one for one in contradictions() if "not the one that was made" in one]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redactions_redaction SET sha256 = %s", [made.sha256])
    assert not [one for one in contradictions() if "redacted" in one]
    store().remove(made.object)
    assert [one for one in contradictions() if "gone from the store" in one]


@pytest.mark.parametrize("where", ["piece", "manifest", "cut"])
def test_a_copy_that_somebody_swapped_is_not_played(scene: Scene, where: str) -> None:
    made = scene.made()
    path = settings.ARCHIVE_HOME / "store" / made.object
    data = bytearray(path.read_bytes())
    at = {"piece": 5000, "manifest": data.rindex(b"derivative.json\nPK") - 70, "cut": 0}[where]
    data[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(data[: len(data) // 2] if where == "cut" else data)
    answer = scene.client(scene.bob).get(scene.address(made, "audio.wav"))
    assert answer.status_code >= 400
    assert entries(scene.row.pk, "listen") == []


def test_the_worker_tells_its_progress_and_stops_where_it_is_told(scene: Scene) -> None:
    asked, stop = scene.asked(), StopSignal()
    told: list[tuple[int, int]] = []
    make(asked, lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2)]
    again = scene.asked()
    stop.set()
    make_asked(stop)
    assert Redaction.objects.get(pk=again.pk).state == State.ASKED
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=again.pk).state == State.MADE


def test_what_another_worker_makes_is_left_to_it_until_it_is_silent(scene: Scene) -> None:
    asked = scene.asked()
    Redaction.objects.update(working_at=timezone.now())
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.ASKED
    Redaction.objects.update(working_at=timezone.now() - LEFT - timedelta(seconds=1))
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.MADE


def test_a_host_whose_clock_is_ahead_takes_nothing_from_a_worker_that_works(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = scene.asked()
    Redaction.objects.update(working_at=Now())
    ahead = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    make_asked(StopSignal())
    assert Redaction.objects.get(pk=asked.pk).state == State.ASKED, "by the database's clock it was heard of just now"


def test_a_copy_that_does_not_hold_is_thrown_away(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    right = redacted

    def wrong(*given: Any) -> Any:
        read = right(*given)

        def made(first: int, frames: int) -> Any:
            samples = read(first, frames)
            samples[0] += 1
            return samples

        return made

    monkeypatch.setattr(make_deeds, "redacted", wrong)
    with pytest.raises(NotExactError, match="outside of the passages 1 were changed"):
        make(scene.asked())
    make_asked(StopSignal())
    row = Redaction.objects.get()
    assert (row.state, row.object, objects(scene)) == (State.FAILED, "", [])
    assert "were changed" in row.problem
    assert len(entries(scene.row.pk, "redaction-failed")) == 1


def test_a_recording_that_does_not_open_makes_no_copy_and_says_why(scene: Scene) -> None:
    asked = scene.asked()
    lose_key(scene.row.pk)
    make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert row.state == State.FAILED
    assert "key" in row.problem
    assert objects(scene) == []


def test_a_full_disk_makes_no_copy_and_it_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.contract.errors import StorageError  # noqa: PLC0415 - beside its use
    from archive.store.local import LocalDraft  # noqa: PLC0415 - models need Django

    asked = scene.asked()

    def full(*_: Any) -> int:
        raise StorageError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(LocalDraft, "write", full)
        make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert (row.state, objects(scene)) == (State.ASKED, [])
    assert "tried again" in row.problem
    Redaction.objects.update(working_at=None)
    make_asked(StopSignal())
    row = Redaction.objects.get(pk=asked.pk)
    assert (row.state, row.problem) == (State.MADE, "")


@pytest.mark.parametrize("meanwhile", ["reopened", "withdrawn"])
def test_what_was_taken_back_while_it_was_made_is_not_kept(scene: Scene, meanwhile: str) -> None:
    asked, done = scene.asked(), list[int]()

    def told(*_: int) -> None:
        if not done:
            done.append(1)
            if meanwhile == "reopened":
                deeds.reopen(scene.row.pk, asked.pk, by=scene.ann)
            else:
                deeds.withdraw(scene.row.pk, asked.pk, "x", by=scene.ann)

    make(asked, told)
    assert objects(scene) == []
    assert Redaction.objects.get(pk=asked.pk).state == (State.DRAFT if meanwhile == "reopened" else State.WITHDRAWN)


def test_a_restricted_passage_is_silent_there_too(scene: Scene) -> None:
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    made = scene.made()
    (found,) = made.passages.filter(by_archive=True)
    assert (found.first_frame, found.last_frame, found.basis) == (3 * RATE, 4 * RATE, Basis.RESTRICTED)
    with opened(made) as reader:
        assert not reader.read(3 * RATE, RATE).any()
    scene.hear(made, scene.bob)
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_what_is_restricted_afterwards_is_silent_for_the_listener_who_cannot_sign_it_off_then(scene: Scene) -> None:
    made = scene.made()
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    heard = scene.hear(made, scene.bob)
    assert not heard[3 * RATE :].any()
    with pytest.raises(DeedError, match="a part of this recording only"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


def test_nothing_of_a_held_recording_s_copies_goes_away(scene: Scene) -> None:
    made = scene.made()
    hold_deeds.hold(make_matter().pk, scene.row, by=make_user("hugo", Deed.HOLD))
    with pytest.raises(DeedError, match="on hold"):
        deeds.reopen(scene.row.pk, made.pk, by=scene.ann)
    deeds.withdraw(scene.row.pk, made.pk, "wrong", by=scene.ann)
    assert objects(scene) == [made.object]
    other = scene.signed(passage(0, 5))
    assert other.state == State.SIGNED, "a hold keeps; it forbids no copy"


def test_what_a_hold_kept_of_a_withdrawn_copy_goes_with_the_last_hold_and_is_told_until_then(scene: Scene) -> None:
    made, client = scene.made(), scene.client(scene.ann)
    hugo = make_user("hugo", Deed.HOLD)
    first, second = make_matter("Smith"), make_matter("Jones")
    for one in (first, second):
        hold_deeds.hold(one.pk, scene.row, by=hugo)
    sent = {"reason": "a name is left", "once": "a" * 32}
    told = client.post(scene.address(made, "withdraw/"), sent, follow=True).content.decode()
    assert "It goes with the hold" in told
    hold_deeds.end_matter(first.pk, "settled", by=hugo)
    clear_withdrawn(StopSignal())
    assert objects(scene) == [made.object], "the second matter holds it as well"
    hold_deeds.end_matter(second.pk, "settled", by=hugo)
    assert "removes the file within an hour" in client.get(scene.address(made)).content.decode()
    clear_withdrawn(StopSignal())
    assert not objects(scene)
    clear_withdrawn(StopSignal())
    about = Entry.objects.about(Subject.recording(scene.row.pk))
    dropped = about.get(code="redaction-dropped")
    assert (dropped.member("redaction"), dropped.member("sha256")) == (made.pk.hex, made.sha256)
    assert "removes the file within an hour" not in client.get(scene.address(made)).content.decode()


def test_what_was_signed_off_stays_after_the_hold(scene: Scene) -> None:
    made = scene.signed()
    deeds.withdraw(scene.row.pk, made.pk, "a name is left", by=scene.ann)
    clear_withdrawn(StopSignal())
    assert objects(scene) == [made.object]
    assert "stays with the recording" in scene.client(scene.ann).get(scene.address(made)).content.decode()


@pytest.mark.parametrize("deed", ["withdraw", "reopen"])
def test_a_copy_is_withdrawn_also_while_the_store_is_away_and_goes_later(
    scene: Scene, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scene.made()

    def away(_self: object, _name: str) -> None:
        raise StorageError("S3 did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "remove", away)
        if deed == "withdraw":
            assert deeds.withdraw(scene.row.pk, made.pk, "wrong", by=scene.ann).state == State.WITHDRAWN
        else:
            assert deeds.reopen(scene.row.pk, made.pk, by=scene.ann).state == State.DRAFT
    assert objects(scene) == [made.object]
    if deed == "reopen":
        deeds.withdraw(scene.row.pk, made.pk, "wrong", by=scene.ann)
    other = scene.signed(passage(0, 5))
    Redaction.objects.filter(pk=made.pk).update(withdrawn_at=timezone.now() - timedelta(days=99))
    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "remove", away)
        clear_withdrawn(StopSignal())
    assert sorted(objects(scene)) == sorted([made.object, other.object])
    clear_withdrawn(StopSignal())
    assert objects(scene) == [other.object]


def test_a_withdrawn_copy_is_heard_by_nobody(scene: Scene) -> None:
    made = scene.signed()
    deeds.withdraw(scene.row.pk, made.pk, "a name is left in it", by=scene.ann)
    assert scene.client(scene.bob).get(scene.address(made, "audio.wav")).status_code == 409
    assert objects(scene) == [made.object], "what was signed off stays, to tell what was handed out"
    with pytest.raises(DeedError, match="withdrawn"):
        deeds.withdraw(scene.row.pk, made.pk, "x", by=scene.ann)


def test_there_is_no_copy_of_what_is_not_sealed(archive: Archive, arrive: Arrive) -> None:
    ann = make_user("ann", Deed.REDACT)
    row = Recording.objects.get(pk=arrive(seconds=1).id)
    with pytest.raises(DeedError, match="not sealed"):
        deeds.begin(row.pk, "x", None, by=ann)
    with pytest.raises(NotSealedError):
        make(Redaction(recording=row))


def test_a_copy_is_found_at_its_own_recording_alone(scene: Scene, sealed: Arrive) -> None:
    other, made = sealed(seconds=1), scene.made()
    assert scene.client(scene.bob).get(f"/recordings/{other.id}/redactions/{made.pk}/").status_code == 404
    with pytest.raises(UnknownRecordError):
        deeds.sign_off(other.id, made.pk, by=scene.bob)
    with pytest.raises(DeedError, match="no meeting of this student"):
        deeds.begin(scene.row.pk, "x", make_student("Zoe"), by=scene.ann)


@pytest.fixture
def rosa(scene: Scene) -> User:
    """A parent of Ana's, who may listen by a link and load copies."""
    user = make_account(scene.parent)
    grant_student(user, scene.student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    return user


def test_a_parent_hears_silence_in_the_passages_of_a_copy_for_the_own_child_once_it_is_signed_off(
    scene: Scene, rosa: User
) -> None:
    made = scene.made(student=scene.student)
    client = scene.client(rosa)
    assert audible(rosa, Deed.LISTEN, scene.row.pk) is None, "before that nothing is decided"
    scene.hear(made, scene.bob)
    deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)
    before, mask = scene.original, inside(made)
    wav, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{scene.row.pk}/audio.wav"))), dtype="int16")
    flac, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{scene.row.pk}/audio.flac"))), dtype="int16")
    for heard in (wav, flac):
        assert not heard[mask].any()
        assert np.array_equal(heard[~mask], before[~mask])
    assert client.get(f"/recordings/{scene.row.pk}/package.zip").status_code == 403
    page = client.get(f"/recordings/{scene.row.pk}/").content.decode()
    assert "the school left this passage out" in page
    assert "another child is named" not in page


def test_a_copy_for_nobody_s_parents_bounds_no_parent(scene: Scene, rosa: User) -> None:
    scene.signed()
    assert audible(rosa, Deed.LISTEN, scene.row.pk) is None


def test_no_parent_and_nobody_without_the_right_reaches_a_copy_by_its_address(scene: Scene, rosa: User) -> None:
    made = scene.signed(student=scene.student)
    others = [scene.client(rosa), signed_in(scene.archive, "tech", role="technician")]
    others.append(signed_in(scene.archive, "nearly-all", *(set(Deed) - {Deed.REDACT})))
    for client in others:
        for rest in ("", "audio.wav", "exemptions/", "exemptions.pdf", "sign-off/"):
            assert client.get(scene.address(made, rest)).status_code == 403
    assert len(entries(scene.row.pk, "refusal")) == 5 * len(others)


def test_staff_whom_a_court_order_bars_from_the_student_reach_no_copy(scene: Scene) -> None:
    made = scene.made()
    scene.parent.user = scene.bob
    scene.parent.save()
    make_bar(scene.parent, scene.student)
    assert scene.client(scene.bob).get(scene.address(made)).status_code == 403
    assert scene.client(scene.bob).get(scene.address(made, "audio.wav")).status_code == 403


def test_parts_of_other_students_are_left_out_of_a_copy_for_one_s_parents(scene: Scene) -> None:
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=2 * RATE)
    made = scene.made(passage(0, 100), student=scene.student)
    (found,) = made.passages.filter(by_archive=True)
    assert (found.first_frame, found.last_frame, found.basis) == (2 * RATE, 4 * RATE, Basis.OTHER_STUDENT)
    assert not scene.hear(made, scene.bob)[2 * RATE :].any()


def test_a_teacher_of_one_student_hears_of_a_copy_what_is_about_that_one(scene: Scene) -> None:
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=2 * RATE)
    made = scene.made(passage(0, 100))
    teacher = make_user("teacher")
    grant_student(teacher, scene.student, Deed.REDACT)
    assert not scene.hear(made, teacher)[2 * RATE :].any()
    with pytest.raises(DeedError, match="a part of this recording only"):
        deeds.sign_off(scene.row.pk, made.pk, by=teacher)
