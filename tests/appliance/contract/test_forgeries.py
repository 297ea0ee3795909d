"""A forger with keys of their own may sign anything: they get a verdict, never `intact`, and never a crash."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.contract.encryption import Identity
from appliance.contract.errors import FormatError
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.signed import digest, split, split_lines
from appliance.contract.verification import Report, verify
from appliance.contract.verification.bag import Bag
from appliance.contract.zip_profile import Member
from tests.support.packages import Sealed, rebuilt, resigned, taken_apart
from tests.support.spools import Keys, Recording, make_recording

SHORT = {"rate": 8000, "segment_frames": 1000}


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def made(spool: Path, keys: Keys) -> Recording:
    return make_recording(spool, keys, seconds=2, reason="interrupted", tail=1, **SHORT)


def check(data: bytes, ring: KeyRing | None = None, identity: Identity | None = None) -> Report:
    return verify(io.BytesIO(data), ring, identity)


NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, -(2**63)]))
ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.just("\u0662\u0660\u0662\u0666-11-24T10:00:00.000Z")
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=4,
)


def places(members: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = members.items() if isinstance(members, dict) else enumerate(members) if isinstance(members, list) else ()
    return [place for name, value in inner for place in [(*path, name), *places(value, (*path, name))]]


@st.composite
def meddling(draw: st.DrawFn, line: bytes) -> Callable[[dict[str, Any]], None]:
    """Replace, drop or add one member anywhere in a signed line."""
    *path, last = draw(st.sampled_from(places(json.loads(split(line)[0]))))
    value, how = draw(ANYTHING), draw(st.sampled_from(["replace", "replace", "drop", "add"]))

    def change(members: Any) -> None:
        for name in path:
            members = members[name]
        if how == "drop":
            del members[last]
        elif how == "add" and isinstance(members, dict):
            members[str(value)] = value
        else:
            members[last] = value

    return change


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_a_forger_signs_gets_a_verdict(made: Recording, keys: Keys, data: st.DataObject) -> None:
    """Header, one ledger line, one arrival or the receipt say something else, and everything that follows fits."""
    sealed = Sealed(made, "interrupted")
    parts, where = sealed.payload(), data.draw(st.sampled_from(["header", "ledger", "arrivals", "receipt", "events"]))
    receipt: Callable[[str], bytes] = sealed.receipt
    if where == "header":
        line = parts["data/header.tsv"]
        parts["data/header.tsv"] = resigned(line, keys.box_signing, data.draw(meddling(line)))
    elif where in ("ledger", "arrivals"):
        key = keys.box_signing if where == "ledger" else keys.archive_signing
        lines = split_lines(parts[f"data/{where}.tsv"])
        number = data.draw(st.integers(0, len(lines) - 1))
        lines[number] = resigned(lines[number], key, data.draw(meddling(lines[number])))
        parts[f"data/{where}.tsv"] = _chained(lines, number, key)
        if where == "ledger":
            parts["data/arrivals.tsv"] = sealed.arrivals(parts["data/ledger.tsv"])
    elif where == "events":
        parts["data/events.json"] = json.dumps(data.draw(ANYTHING)).encode()
    else:
        change = data.draw(meddling(sealed.receipt("0" * 64)))
        receipt = lambda sha256: resigned(sealed.receipt(sha256), keys.archive_signing, change)  # noqa: E731
    report = check(sealed.build(parts, receipt), keys.ring(), made.identity)
    assert report.verdict in {"tampered", "interrupted", "not-pinned"}
    assert (report.verdict == "tampered") == bool(report.problem)
    assert all(" " <= letter <= "~" or letter == "\n" for letter in report.as_text())


def _set_prev(prev: str, members: dict[str, Any]) -> None:
    members["prev"] = prev


def _chained(lines: list[bytes], changed: int, key: SigningKey) -> bytes:
    """The lines after a changed one, signed anew so that they follow on it."""
    for number in range(changed + 1, len(lines)):
        before = digest(lines[number - 1])
        lines[number] = resigned(lines[number], key, partial(_set_prev, before))
    return b"".join(lines)


def test_a_time_in_other_digits_is_named(made: Recording, keys: Keys) -> None:
    sealed = Sealed(made, "interrupted")

    def receipt(sha256: str) -> bytes:
        line = sealed.receipt(sha256)
        return resigned(line, keys.archive_signing, lambda members: members.update(sealed_at="\u0662" * 24))

    assert "sealed_at" in check(sealed.build(receipt=receipt), keys.ring()).problem


def test_a_forged_name_cannot_act_on_a_terminal(made: Recording) -> None:
    escape = "\x1b[2J\r  ok    everything\nIntact."
    parts = [(name.replace("data/events.json", escape), data) for name, data in taken_apart(Sealed(made).build())]
    text = check(rebuilt(made.id, parts)).as_text()
    assert "\x1b" not in text
    assert "\r" not in text
    assert not any(line.startswith("Intact") for line in text.splitlines())


def test_a_member_name_without_end_is_cut(made: Recording, keys: Keys) -> None:
    sealed = Sealed(made, "interrupted")
    parts = sealed.payload()
    line = parts["data/header.tsv"]
    parts["data/header.tsv"] = resigned(line, keys.box_signing, lambda members: members.update({"x" * 100_000: 1}))
    report = check(sealed.build(parts), keys.ring())
    assert report.verdict == "tampered"
    assert len(report.problem) < 1000


def test_another_recordings_key_is_no_sign_of_tampering(made: Recording, keys: Keys) -> None:
    data = Sealed(made, "interrupted").build()
    report = check(data, keys.ring(), Identity.generate())
    assert (report.verdict, report.status) == ("wrong-key", 2)
    assert made.header.recipient in report.problem


def test_the_tail_is_opened_and_told_apart_from_the_verified_audio(spool: Path, made: Recording, keys: Keys) -> None:
    report = check(Sealed(made, "interrupted").build(), keys.ring(), made.identity)
    assert report.verdict == "interrupted"
    assert any("1 of 1 segments of the unverified tail open and hold 0.1 s" in note for note in report.notes)
    broken = make_recording(spool, keys, seconds=1, reason=None, **SHORT)
    broken.tail[1] = b"torn by a power cut"
    broken.close("interrupted")
    report = check(Sealed(broken, "interrupted").build(), keys.ring(), broken.identity)
    assert report.verdict == "interrupted"
    assert any("0 of 1 segments of the unverified tail" in note for note in report.notes)


@pytest.mark.parametrize("name", ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_promise_5_a_tag_file_that_the_payload_does_not_make_is_named(made: Recording, keys: Keys, name: str) -> None:
    parts = dict(taken_apart(Sealed(made, "interrupted").build()))
    for harm in (parts[name] + b"More: words\n", parts[name][:-1], parts[name].swapcase(), b""):
        report = check(rebuilt(made.id, {**parts, name: harm}.items()), keys.ring())
        assert (report.verdict, report.problem.startswith(name)) == ("tampered", True), report.problem


def test_a_member_that_claims_to_be_huge_is_not_read(made: Recording) -> None:
    name = f"{made.id}/data/ledger.tsv"
    bag = Bag(io.BytesIO(), made.id, {name: Member(name, 1 << 30, 0, 0)})
    with pytest.raises(FormatError, match="more than it can have"):
        bag.read("data/ledger.tsv")


def test_promise_5_a_member_that_is_there_twice_is_refused(made: Recording, keys: Keys) -> None:
    """Tools differ in which of two they open, so there must not be two, not even the same bytes."""
    parts = taken_apart(Sealed(made, "interrupted").build())
    for number in range(len(parts)):
        for at in (number, len(parts)):
            twice = [*parts[:at], parts[number], *parts[at:]]
            assert check(rebuilt(made.id, twice), keys.ring()).verdict == "tampered"


def test_why_it_is_not_pinned_is_told(made: Recording, keys: Keys) -> None:
    data, ring = Sealed(made, "interrupted").build(), keys.ring()
    for known, told in [
        (None, "no key ring was given"),
        (KeyRing(archives=ring.archives), f"does not know {keys.box}"),
        (KeyRing(boxes=ring.boxes), "has no archive key"),
    ]:
        report = check(data, known)
        assert report.verdict == "not-pinned"
        assert any(told in note for note in report.notes)
