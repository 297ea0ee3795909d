"""What becomes of a copy that is withdrawn: nobody hears it, a hold keeps it, and then it goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError
from archive.records.holds import deeds as hold_deeds
from archive.records.redactions import deeds
from archive.records.redactions.clear_deeds import clear_withdrawn
from archive.records.redactions.models import Redaction, State
from archive.store.current import store
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import (
    make_matter,
)

from .scene import Scene, objects, passage


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
