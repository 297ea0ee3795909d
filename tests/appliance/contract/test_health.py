"""What a box's examinations report: fixed names and remedies, never what was found (promise 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.contract.check_result import CheckResult
from appliance.contract.health import MAX_BYTES, MAX_FINDINGS, Finding, HealthReport, reported


def report(results: list[CheckResult]) -> HealthReport:
    return HealthReport(
        box="box-0123456789abcdef", source="doctor", made_at="2026-01-02T03:04:05.678Z", findings=reported(results)
    )


def test_what_was_found_stays_on_the_box() -> None:
    found = report(
        [
            CheckResult("microphone", "ok", "card 'x'"),
            CheckResult("commissioned microphone", "warning", "noise -60.1 dB at /etc/x", "stop the recorder"),
            CheckResult("free space", "wrong", "12 MB free", "Connect the box to the network and let it upload."),
        ]
    )
    assert found.findings == [
        Finding(check="commissioned microphone", verdict="warning", remedy="stop the recorder."),
        Finding(check="free space", verdict="wrong", remedy="Connect the box to the network and let it upload."),
    ]
    assert "-60.1" not in found.model_dump_json()


@given(st.lists(st.tuples(st.text(max_size=600), st.text(max_size=600)), max_size=60))
def test_any_examination_makes_a_report_that_fits(rows: list[tuple[str, str]]) -> None:
    results = [CheckResult(f"check {number}", "wrong", found, remedy) for number, (found, remedy) in enumerate(rows)]
    made = report(results)
    assert len(made.findings) <= MAX_FINDINGS
    text = made.model_dump_json()
    assert len(text) <= MAX_BYTES
    assert HealthReport.model_validate_json(text) == made


def test_the_same_finding_is_told_once() -> None:
    results = [CheckResult("config.txt", "wrong", f"line {number}", "remove the line") for number in range(3)]
    assert len(report(results).findings) == 1


@pytest.mark.parametrize("wrong", ["Microphone of Room 12!", "", "x" * 60, "a\nb"])
def test_a_check_has_a_plain_name(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Finding(check=wrong, verdict="wrong", remedy="")
