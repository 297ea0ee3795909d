"""Whoever signs a redacted copy off had no part in it, was sent all of it, and does so by the deed alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.accounts import invite_again
from archive.access.deeds import Deed
from archive.records.errors import DeedError, SecondPersonError
from archive.records.redactions import deeds
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Hearing, Passage, Redaction, State
from archive.records.redactions.rules import Span
from tests.archive.page_fixtures import RATE, make_user

from .scene import Scene, objects, passage


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


def test_an_account_whose_link_a_maker_gave_out_signs_nothing_off(scene: Scene) -> None:
    made = scene.made()
    invite_again(scene.bob, by=scene.ann)
    scene.hear(Redaction.objects.get(pk=made.pk), scene.bob)
    with pytest.raises(SecondPersonError, match="two people"):
        deeds.sign_off(scene.row.pk, made.pk, by=scene.bob)


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
