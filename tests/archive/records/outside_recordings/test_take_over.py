"""What another archive's package says about a recording is read as a stranger's words: in its form, or refused."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

import pytest

from appliance.contract.errors import FormatError
from archive.records.outside_recordings.models import Origin
from archive.records.outside_recordings.take_over_deeds import read_statement

WRITTEN: dict[str, Any] = {
    "origin": "remote",
    "made_on": "2026-03-02",
    "made_at": "09:30:00",
    "place": "Zoom",
    "made_by": "Kim Vo, teacher",
    "made_with": "Zoom 6.2",
    "since": "Nothing.\nIt is as it was made.",
    "brought_by": "Kim Vo, teacher",
    "brought_on": "2026-03-03",
}


def test_what_an_archive_writes_is_read() -> None:
    said = read_statement(json.dumps(WRITTEN).encode())
    assert (said.origin, said.made_on, said.made_at) == (Origin.REMOTE, date(2026, 3, 2), time(9, 30))
    assert said.since == WRITTEN["since"]
    assert read_statement(json.dumps({**WRITTEN, "made_at": "None"}).encode()).made_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "box"},
        {"origin": []},
        {"made_on": "yesterday"},
        {"made_on": "9999-12-31"},
        {"brought_on": 5},
        {"made_at": "10:00+05:00"},
        {"made_at": None},
        {"place": "a lone \ud800"},
        {"place": "nothing \0"},
        {"made_by": "turned \u202e round"},
        {"made_with": "x" * 201},
        {"since": "x" * 4001},
        {"since": "nothing \0"},
        {"brought_by": 7},
        {"more": "x"},
    ],
)
def test_what_no_archive_writes_is_refused_by_its_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=next(iter(wrong))):
        read_statement(json.dumps({**WRITTEN, **wrong}).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"7", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000])
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="not what an archive writes"):
        read_statement(data)
