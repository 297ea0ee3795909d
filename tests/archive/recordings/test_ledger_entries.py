"""The ledger on the page: checked by its chain with one signature, and named at its place where it does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract import signed
from appliance.contract.keys import signature_fits
from appliance.contract.signed import split
from archive.recordings import ledger_entries
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive
from tests.support.box_requests import send_start
from tests.support.packages import resigned
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording


@pytest.fixture
def made(sealed: Arrive) -> Made:
    return sealed(seconds=6)


def shown(monkeypatch: pytest.MonkeyPatch, lines: list[bytes]) -> ledger_entries.Ledger:
    monkeypatch.setattr(ledger_entries, "ledger_lines", lambda _: lines)
    return read_ledger(Recording.objects.get())


def test_one_signature_stands_for_the_whole_ledger(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []

    def counted(key: str, signature: bytes, payload: bytes) -> bool:
        checked.append(payload)
        return signature_fits(key, signature, payload)

    monkeypatch.setattr(signed, "signature_fits", counted)
    read = read_ledger(Recording.objects.get())
    assert (len(read.entries), read.problem) == (len(made.lines), "")
    assert checked == [split(line)[0] for line in (made.header_line, made.lines[-1])]


def changed_text(archive: Archive, lines: list[bytes], at: int) -> None:
    lines[at] = lines[at].replace(b'"n":%d' % at, b'"n":%d' % (at + 7))


def signed_again_by_the_box(archive: Archive, lines: list[bytes], at: int) -> None:
    lines[at] = resigned(lines[at], archive.keys.box_signing, lambda members: members.update(t_ns=1))


def left_out(archive: Archive, lines: list[bytes], at: int) -> None:
    del lines[at]


def cut_within(archive: Archive, lines: list[bytes], at: int) -> None:
    lines[at] = lines[at][:-20] + b"\n"


@pytest.mark.parametrize("spoil", [changed_text, signed_again_by_the_box, left_out, cut_within])
def test_a_line_that_is_not_the_boxs_in_its_place_is_named(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Archive, list[bytes], int], None]
) -> None:
    lines = list(made.lines)
    spoil(archive, lines, 4)
    read = shown(monkeypatch, lines)
    # a line that was signed again holds by itself; the one after it does not follow on it
    assert len(read.entries) == (5 if spoil is signed_again_by_the_box else 4)
    assert f"only up to line {len(read.entries)}" in read.problem


def test_a_last_line_that_nobody_signed_is_told(archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger: Any = type(archive.keys)()
    lines = [*made.lines[:-1], resigned(made.lines[-1], stranger.box_signing, lambda _: None)]
    read = shown(monkeypatch, lines)
    assert len(read.entries) == len(lines) - 1
    assert "signature" in read.problem


def test_a_ledger_whose_tail_was_cut_is_told(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    read = shown(monkeypatch, made.lines[:-2])
    assert len(read.entries) == len(made.lines) - 2
    assert f"ends after {len(made.lines) - 2} of {len(made.lines)}" in read.problem


def test_what_is_still_arriving_is_shown_as_far_as_it_came(arrive: Arrive) -> None:
    made = arrive(seconds=2, reason=None)
    read = read_ledger(Recording.objects.get())
    assert (len(read.entries), read.problem) == (len(made.lines), "")
    assert json.loads(made.lines[-1].split(b"\t")[0])["n"] == read.entries[-1].n


def test_a_recording_without_any_line_yet_has_an_empty_ledger(archive: Archive, client: Any, tmp_path: Path) -> None:
    send_start(client, make_recording(tmp_path, archive.keys, seconds=0, reason=None))
    read = read_ledger(Recording.objects.get())
    assert (read.entries, read.problem) == ([], "")
