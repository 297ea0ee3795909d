"""An archive that lies with its own key: what the box signed, and what had arrived, still hold against it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract.signed import digest, split, split_lines
from appliance.contract.verification import Report, verify
from tests.support.packages import Parts, Sealed, as_line, resigned
from tests.support.spools import Keys, Recording, make_recording

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def made(spool: Path, keys: Keys) -> Recording:
    return make_recording(spool, keys, seconds=2, reason="interrupted", tail=1, **SHORT)


def check(data: bytes, keys: Keys) -> Report:
    return verify(io.BytesIO(data), keys.ring())


def _arrivals(sealed: Sealed, keys: Keys, change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """An arrival log that says something else, signed by the archive."""
    items = [json.loads(split(line)[0]) for line in split_lines(sealed.arrivals())]
    items = [{name: value for name, value in item.items() if name not in {"n", "prev"}} for item in items]
    change(items)
    prev, log = digest(sealed.recording.header_line), []
    for n, item in enumerate(items):
        log.append(as_line({"type": item["type"], "n": n, "prev": prev, **item}, keys.archive_signing))
        prev = digest(log[-1])
    return b"".join(log)


def _index(items: list[dict[str, Any]], what: str) -> int:
    return next(number for number, item in enumerate(items) if item["what"] == what)


LOGS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "empty": lambda items: items.clear(),
    "no header": lambda items: items.pop(_index(items, "header")),
    "no tail": lambda items: items.pop(_index(items, "tail")),
    "no seal": lambda items: items.pop(),
    "two seals": lambda items: items.append(items[-1]),
    "something after the seal": lambda items: items.append(items[0]),
    "lines left out": lambda items: items.pop(_index(items, "lines")),
    "the last lines left out": lambda items: items.pop(-1 - _index(items[::-1], "lines")),
    "lines twice": lambda items: items.insert(_index(items, "lines"), items[_index(items, "lines")]),
    "no lines in a batch": lambda items: items.insert(2, {**items[_index(items, "lines")], "lines": 0}),
    "the tail twice": lambda items: items.insert(2, items[_index(items, "tail")]),
    "the key twice": lambda items: items.insert(2, items[_index(items, "key")]),
    "another key": lambda items: items[_index(items, "key")].update(sha256="0" * 64),
    "another seal": lambda items: items[-1].update(sha256="0" * 64),
    "a number left out": lambda items: items[-1].update(n=len(items)),
    "a broken chain": lambda items: items[-1].update(prev="0" * 64),
    "of another recording": lambda items: items[-1].update(recording="0" * 32),
    "a seal with lines": lambda items: items[-1].update(lines=1),
}


@pytest.mark.parametrize("change", LOGS.values(), ids=LOGS.keys())
def test_promise_5_an_arrival_log_must_be_exactly_what_is_here(
    made: Recording, keys: Keys, change: Callable[[list[dict[str, Any]]], Any]
) -> None:
    sealed = Sealed(made, "interrupted")
    report = check(sealed.build({**sealed.payload(), "data/arrivals.tsv": _arrivals(sealed, keys, change)}), keys)
    assert (report.verdict, report.problem.startswith("data/arrivals.tsv")) == ("tampered", True), report.problem


def test_a_box_that_was_lost_may_never_have_sent_its_key(spool: Path, keys: Keys) -> None:
    sealed = Sealed(make_recording(spool, keys, reason=None, **SHORT), "incomplete")
    log = _arrivals(sealed, keys, lambda items: items.pop(_index(items, "key")))
    assert check(sealed.build({**sealed.payload(), "data/arrivals.tsv": log}), keys).verdict == "incomplete"


def _segment_replaced(sealed: Sealed, parts: Parts) -> None:
    parts["data/segments/00000001.age"] = sealed.recording.sealed(np.zeros(1000, np.int16))


def _segment_shortened(sealed: Sealed, parts: Parts) -> None:
    parts["data/segments/00000001.age"] = parts["data/segments/00000001.age"][:-1]


def _swap_bit(parts: Parts, name: str) -> None:
    # of the same size: encryption anew nearly always gives another, and the sizes alone would tell
    parts[name] = parts[name][:-1] + bytes([parts[name][-1] ^ 1])


def _segment_of_equal_size(_: Sealed, parts: Parts) -> None:
    _swap_bit(parts, "data/segments/00000001.age")


def _tail_of_equal_size(_: Sealed, parts: Parts) -> None:
    _swap_bit(parts, "data/tail/00000002.age")


def _segment_dropped(sealed: Sealed, parts: Parts) -> None:
    del parts["data/segments/00000001.age"], parts["data/tail/00000002.age"]


def _tail_replaced(sealed: Sealed, parts: Parts) -> None:
    parts["data/tail/00000002.age"] = parts["data/segments/00000000.age"]


def _tail_added(sealed: Sealed, parts: Parts) -> None:
    parts["data/tail/00000003.age"] = parts["data/segments/00000000.age"]


def _bytes_after_the_log(sealed: Sealed, parts: Parts) -> None:
    parts["data/arrivals.tsv"] += b"x"


def _bytes_after_the_ledger(sealed: Sealed, parts: Parts) -> None:
    parts["data/ledger.tsv"] += b"x"


def _line_of_its_own(sealed: Sealed, parts: Parts) -> None:
    line = split_lines(parts["data/ledger.tsv"])[-1]
    key = sealed.recording.keys.archive_signing
    parts["data/ledger.tsv"] += resigned(line, key, lambda members: members.update(n=members["n"] + 1))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_segment_replaced, "data/segments/00000001.age"),
        (_segment_shortened, "data/segments/00000001.age: it has"),
        (_segment_of_equal_size, "data/segments/00000001.age: its digest is not the one in the signed ledger"),
        (_tail_of_equal_size, "data/tail/00000002.age: its digest is not the one in the signed ledger"),
        (_segment_dropped, "data/segments/00000001.age"),
        (_tail_replaced, "data/tail/00000002.age"),
        (_tail_added, "data/tail/00000003.age"),
        (_bytes_after_the_log, "data/arrivals.tsv"),
        (_bytes_after_the_ledger, "data/ledger.tsv"),
        (_line_of_its_own, "ledger line"),
    ],
)
def test_promise_5_the_archive_itself_cannot_change_what_the_box_signed(
    made: Recording, keys: Keys, change: Callable[[Sealed, Parts], None], place: str
) -> None:
    """Arrivals, manifests and receipt are signed anew with the archive's own key."""
    sealed = Sealed(made, "interrupted")
    parts = sealed.payload()
    change(sealed, parts)
    report = check(sealed.build(parts), keys)
    assert (report.verdict, place in report.problem) == ("tampered", True), report.problem


RECEIPTS: dict[str, Any] = {
    "recording": "0" * 32,
    "box": "box-other",
    "header_sha256": "0" * 64,
    "ledger_lines": 1,
    "ledger_sha256": "0" * 64,
    "segments": 1,
    "frames": 1,
    "tail": 0,
    "outcome": "complete",
    "key_sha256": "0" * 64,
    "manifest_sha256": "0" * 64,
}


@pytest.mark.parametrize("member", RECEIPTS)
def test_promise_5_a_receipt_for_anything_else_is_no_receipt(made: Recording, keys: Keys, member: str) -> None:
    sealed = Sealed(made, "interrupted")

    def receipt(sha256: str) -> bytes:
        true = {"manifest_sha256": sha256, "sealed_at": sealed.sealed_at, "outcome": "interrupted"}
        return made.receipt(**{**true, member: RECEIPTS[member]})

    report = check(sealed.build(receipt=receipt), keys)
    assert report.verdict == "tampered"
    assert "receipt" in report.problem
