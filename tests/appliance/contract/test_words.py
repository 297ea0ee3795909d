"""Identifiers, times, errors: small things that others build on."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from appliance.contract import errors
from appliance.contract.ids import BoxId, RecordingId, new_box_id, new_recording_id
from appliance.contract.problems import explain, location
from appliance.contract.times import WALL_PATTERN, WallTime, now, parse_wall, wall


def valid(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


def test_promise_7_fresh_identifiers_are_random_and_valid() -> None:
    assert len({new_recording_id() for _ in range(100)} | {new_box_id() for _ in range(100)}) == 200
    assert valid(RecordingId, new_recording_id())
    assert valid(BoxId, new_box_id())


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "0" * 32 + "\n", "../" + "0" * 29, "\u0660" * 32]
)
def test_what_is_no_recording_is_refused(text: str) -> None:
    assert not valid(RecordingId, text)


@pytest.mark.parametrize(
    "text", ["", "box-", "box-abc", "room-7f3a", "box-7F3A", "box-7f3a/..", "box-+#+#", "box-" + "a" * 33]
)
def test_what_is_no_box_is_refused(text: str) -> None:
    assert not valid(BoxId, text)


@given(st.datetimes())
def test_a_moment_of_any_year_is_written_in_the_format_s_form(moment: datetime) -> None:
    text = wall(moment.replace(tzinfo=UTC))
    assert re.fullmatch(WALL_PATTERN, text)
    assert parse_wall(text) == moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2199, 12, 31)))  # noqa: DTZ001 - made aware below
def test_a_time_keeps_its_milliseconds(moment: datetime) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=-6)))
    text = wall(aware)
    assert valid(WallTime, text)
    assert timedelta(0) <= aware - parse_wall(text) < timedelta(milliseconds=1)


def test_now_is_a_time_and_is_now() -> None:
    assert valid(WallTime, now())
    assert abs(parse_wall(now()) - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "2026-11-24T10:00:00Z",
        "2026-11-24 10:00:00.000Z",
        "2026-11-24T10:00:00.000+00:00",
        "2026-11-24T10:00:00.000000Z",
        "2026-02-30T10:00:00.000Z",
        "2026-11-24T24:00:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "\u0662026-11-24T10:00:00.000Z",
        "2026-11-24T10:00:00.000Z\n",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert not valid(WallTime, text)


def test_every_error_has_a_code_of_its_own_and_a_fitting_status() -> None:
    kinds = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.PlainSightError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status < 600 for kind in kinds)


def test_an_error_on_the_network_has_the_documented_form() -> None:
    error = errors.OrderError("segment 3 stands where segment 2 must", field="segment")
    assert error.as_json() == {
        "error": {"code": "bad-order", "message": "segment 3 stands where segment 2 must", "field": "segment"}
    }
    assert str(error) == error.message


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    device: str
    rate: int = 48000


@pytest.mark.parametrize(
    ("members", "where", "told"),
    [
        ({"device": "x", "rte": 1}, "rte", "did you mean 'rate'?"),
        ({"device": "x", "zzzzz": 1}, "zzzzz", "there is no such name"),
        ({}, "device", "is missing"),
        ({"device": "x", "rate": "fast"}, "rate", "integer"),
    ],
)
def test_a_problem_names_the_member_and_helps(members: dict[str, object], where: str, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Settings.model_validate(members)
    assert location(caught.value) == where
    text = explain(caught.value, known=_Settings.model_fields)
    assert text.startswith(f"{where}: ")
    assert told in text
