"""A restricted passage is silence for whoever may not hear it, in player and copies; two people open it again."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from archive.access.accounts import invite_again
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.check import contradictions
from archive.recordings.models import Recording
from archive.recordings.parts import Part, audible, both
from archive.recordings.playback import open_audio
from archive.records.disclosures.rules import Missing, district_gate
from archive.records.errors import DeedError, SecondPersonError
from archive.records.restrictions import deeds
from archive.records.restrictions.models import Restriction
from archive.records.restrictions.reach import unrestricted
from archive.records.restrictions.rules import outside
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.disclosures.test_rules import FACTS
from tests.support.archives import Archive, change_as_owner

PASSAGES = st.lists(
    st.builds(lambda first, length: Part(first, None if length is None else first + length),
              st.integers(0, 100), st.one_of(st.none(), st.integers(1, 30))), max_size=5,
)  # fmt: skip


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    return Recording.objects.get(pk=sealed(seconds=4).id)


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.RESTRICT)


def frames(parts: tuple[Part, ...], total: int = 140) -> set[int]:
    return {frame for one in parts for frame in range(one.first, total if one.last is None else one.last)}


@given(PASSAGES)
def test_what_is_outside_is_all_but_the_passages(passages: list[Part]) -> None:
    left = outside(passages)
    assert frames(left) == set(range(140)) - frames(tuple(passages))
    assert list(left) == sorted(left, key=lambda part: part.first)


@given(PASSAGES, PASSAGES)
def test_of_two_bounds_what_both_let_through_is_left(one: list[Part], other: list[Part]) -> None:
    assert frames(both(outside(one), outside(other))) == frames(outside(one)) & frames(outside(other))


def test_the_passage_is_silent_to_the_sample_and_the_rest_as_it_was(
    archive: Archive, row: Recording, ann: User
) -> None:
    client = signed_in(archive, "teacher", Deed.LISTEN, Deed.DOWNLOAD, Deed.LOOK)
    original = open_audio(row).read(0, row.frames)
    first, last = RATE + 100, 2 * RATE + 50
    deeds.restrict(row.pk, first, last, "staff talked on", by=ann)
    flac = b"".join(client.get(f"/recordings/{row.pk}/audio.flac"))
    heard, _ = soundfile.read(io.BytesIO(flac), dtype="int16")
    wav, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{row.pk}/audio.wav"))), dtype="int16")
    for copy in (heard, wav):
        assert not copy[first:last].any()
        changed = np.concatenate([copy[:first] != original[:first], copy[last:] != original[last:]])
        assert int(changed.sum()) == 0, "samples outside of the passage were changed"
    assert np.array_equal(open_audio(row).read(0, row.frames), original), "the original is never touched"
    assert client.get(f"/recordings/{row.pk}/package.zip").status_code == 403
    page = client.get(f"/recordings/{row.pk}/").content.decode()
    assert "you hear silence" in page
    assert "staff talked on" not in page


def test_whoever_may_restrict_hears_it(row: Recording, ann: User) -> None:
    deeds.restrict(row.pk, 0, None, "x", by=ann)
    assert audible(make_user("carol", Deed.LISTEN, Deed.RESTRICT), Deed.LISTEN, row.pk) is None
    assert audible(make_user("bob", Deed.LISTEN), Deed.LISTEN, row.pk) == ()


def test_a_recording_that_is_restricted_from_begin_to_end_is_silence(
    archive: Archive, row: Recording, ann: User
) -> None:
    deeds.restrict(row.pk, 0, None, "x", by=ann)
    client = signed_in(archive, "teacher", Deed.LISTEN)
    heard, _ = soundfile.read(io.BytesIO(b"".join(client.get(f"/recordings/{row.pk}/audio.wav"))), dtype="int16")
    assert len(heard) == row.frames
    assert not heard.any()


def test_another_one_opens_it_again(row: Recording, ann: User) -> None:
    made = deeds.restrict(row.pk, 0, RATE, "x", by=ann)
    with pytest.raises(SecondPersonError):
        deeds.lift(row.pk, made.pk, "y", by=ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.update(lifted_by=ann)
    deeds.lift(row.pk, made.pk, "nothing in it", by=make_user("bob", Deed.RESTRICT))
    assert unrestricted(row.pk) is None
    assert [entry.code for entry in entries(row.pk) if "restrict" in entry.code] == ["restricted", "restriction-lifted"]


def test_an_account_whose_link_the_first_one_gave_out_opens_nothing(row: Recording, ann: User) -> None:
    bob = make_user("bob", Deed.RESTRICT)
    invite_again(bob, by=ann)
    made = deeds.restrict(row.pk, 0, RATE, "x", by=ann)
    with pytest.raises(SecondPersonError, match="two people"):
        deeds.lift(row.pk, made.pk, "y", by=bob)


@pytest.mark.parametrize(("first", "last"), [(5, 5), (6, 5), (10**9, None), (0, 10**9)])
def test_a_passage_lies_inside_its_recording(row: Recording, ann: User, first: int, last: int | None) -> None:
    with pytest.raises(DeedError, match="inside"):
        deeds.restrict(row.pk, first, last, "x", by=ann)


def test_the_log_contradicts_a_passage_that_was_opened_without_a_deed(row: Recording, ann: User) -> None:
    deeds.restrict(row.pk, 0, RATE, "x", by=ann)
    assert not [one for one in contradictions() if "passage" in one]
    change_as_owner("UPDATE restrictions_restriction SET lifted_at = CURRENT_TIMESTAMP")
    assert [one for one in contradictions() if "never opened again" in one]


def test_no_package_leaves_with_a_restricted_passage() -> None:
    facts: dict[str, Any] = {**vars(FACTS), "holds_restricted": True}
    assert district_gate(type(FACTS)(**facts)) == [Missing.RESTRICTED]


def test_the_pages_restrict_and_open_again(archive: Archive, row: Recording) -> None:
    ann, bob = (signed_in(archive, name, role="custodian") for name in ("carol", "dave"))
    place = f"/recordings/{row.pk}/restrict/"
    check(ann.get(place).content.decode())
    typed = {"first": "0:00:01", "last": "0:00:02", "reason": "staff talked on"}
    for wrong in ({"first": "x"}, {"first": ""}, {"last": "9:00:00"}, {"reason": ""}):
        assert ann.post(place, {**typed, **wrong, "once": "0" * 32}).status_code == 422
    page = check(ann.post(place, {**typed, "once": "a" * 32}, follow=True).content.decode())
    assert "staff talked on" in page.text
    (lift,) = [one.get("href") for one in page.all("a") if one.get("href").endswith("/lift/")]
    check(bob.get(lift).content.decode())
    assert ann.post(lift, {"reason": "x", "once": "b" * 32}).status_code == 422
    assert "open again" in bob.post(lift, {"reason": "x", "once": "c" * 32}, follow=True).content.decode()
