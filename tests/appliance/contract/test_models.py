"""docs/format.md and the models name the same members, kinds and words; a stranger can rely on the document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from appliance.contract import ledger
from appliance.contract.errors import FormatError
from appliance.contract.header import Audio, Header, Microphone
from appliance.contract.ledger import Entry
from appliance.contract.receipt import Arrival, Outcome, Receipt
from appliance.contract.times import Clock
from appliance.contract.verification.report import STATUS

FORMAT = (Path(__file__).resolve().parents[3] / "docs" / "format.md").read_text()
KINDS = {
    model.model_fields["kind"].default: model
    for model in (
        *(ledger.Segment, ledger.Lamp, ledger.AudioSpan, ledger.Gap, ledger.Pause, ledger.ClockChange),
        *(ledger.Drift, ledger.Fault, ledger.EndWarning, ledger.Closing),
    )
}


def section(number: str) -> str:
    found = re.search(rf"^###? {re.escape(number)}\.? .*?(?=^##|\Z)", FORMAT, re.DOTALL | re.MULTILINE)
    assert found, f"the document has no section {number}"
    return found.group()


def rows(number: str) -> list[list[str]]:
    """The cells of a section's tables."""
    lines = [line for line in section(number).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code(text: str) -> list[str]:
    return re.findall(r"`([a-z0-9_-]+)`", text)


def members(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def test_the_header_has_the_documented_members_in_order() -> None:
    documented = [name for row in rows("2.1") for name in code(row[0])]
    assert documented == members(Header)


def test_every_ledger_line_has_the_documented_members() -> None:
    common = [code(row[0])[0] for row in rows("2.4") if len(row) == 2]
    assert common == [*(name for name in members(ledger.Entry) if name != "fact"), *members(ledger.Fact), "kind"]


def test_every_kind_has_the_documented_members_in_order() -> None:
    documented = {code(row[0])[0]: code(row[1]) for row in rows("2.4") if len(row) == 3 and row[0] != "`kind`"}
    own = {kind: [name for name in members(model) if name not in members(ledger.Fact)] for kind, model in KINDS.items()}
    assert documented == {kind: [name for name in names if name != "kind"] for kind, names in own.items()}


def test_causes_and_reasons_are_the_documented_ones() -> None:
    gap = next(row for row in rows("2.4") if row[0] == "`gap`")
    assert set(get_args(ledger.Cause)) == set(code(gap[2].partition("`cause`:")[2]))
    reasons = section("2.5").partition("`reason`:")[2].partition(". `frames`")[0]
    assert set(get_args(ledger.Reason)) == set(code(reasons))


@pytest.mark.parametrize(
    ("number", "model"), [("1.4", Clock), ("2.1", Audio), ("2.1", Microphone), ("5.1", Arrival), ("5.3", Receipt)]
)
def test_everything_else_has_documented_members_only(number: str, model: type[BaseModel]) -> None:
    text = section(number)
    for name in members(model):
        assert f"`{name}`" in text or f'"{name}"' in text, f"{name} is not in section {number}"


def test_outcomes_and_verdicts_are_the_documented_ones() -> None:
    assert all(f"`{outcome}`" in section("5.3") for outcome in get_args(Outcome))
    documented = {int(row[0]): code(row[1]) for row in _verdict_rows()}
    for verdict, status in STATUS.items():
        assert documented[status] in ([verdict], [])
    assert documented[2] == []
    assert sorted(documented) == sorted(set(STATUS.values()))


def _verdict_rows() -> list[list[str]]:
    lines = [line for line in section("7").splitlines() if re.match(r"\| [0-9]", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


LINE: dict[str, Any] = {"recording": "0" * 32, "n": 0, "prev": "1" * 64, "t_ns": 5}


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"kind": "gap", "first_frame": 0, "frames": 0, "cause": "stall"}, "gap.frames"),
        ({"kind": "gap", "first_frame": -1, "frames": 1, "cause": "stall"}, "gap.first_frame"),
        ({"kind": "gap", "first_frame": 0, "frames": 1, "cause": "aliens"}, "gap.cause"),
        ({"kind": "lamp", "lit": 1, "commanded_ns": 0, "seen_ns": None}, "lamp.lit"),
        ({"kind": "lamp", "lit": True, "commanded_ns": 0}, "lamp.seen_ns"),
        ({"kind": "audio", "open": True, "at_ns": 0, "generation": 0}, "audio.generation"),
        ({"kind": "fault", "code": "Room 12", "raised": True}, "fault.code"),
        ({"kind": "pause", "frame": 0, "paused": True, "why": "tea"}, "pause.why"),
    ],
)
def test_a_wrong_member_of_a_ledger_line_is_named(entry: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as caught:
        Entry.from_members({**LINE, **entry})
    assert caught.value.field == field


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(FormatError, match="kind"):
        Entry.from_members({**LINE, "kind": "level", "db": -20})


def test_promise_7_no_member_of_a_ledger_line_can_hold_a_name_or_a_level() -> None:
    """Free text would be a place for them: every text in a ledger line is a code, an id, a digest or a time."""
    free = set()
    for kind, model in KINDS.items():
        schema = model.model_json_schema()
        for owner, part in [(kind, schema), *schema.get("$defs", {}).items()]:
            for name, told in part["properties"].items():
                if told.get("type") == "string" and not {"pattern", "const", "enum"} & set(told):
                    free.add((owner, name))
    assert free == set()
