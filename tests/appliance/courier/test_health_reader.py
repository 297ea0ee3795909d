"""The courier reads what the box's examinations found, once each, and sends nothing that it does not understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.health import Finding, HealthReport, Source
from appliance.contract.status import SilentStatus
from appliance.courier.health_reader import HealthReader
from appliance.courier.mqtt.publication_policy import PublicationPolicy

BOX = "box-0123456789abcdef"


def write(folder: Path, source: Source = "doctor", box: str = BOX, remedy: str = "") -> HealthReport:
    findings = [Finding(check="free space", verdict="wrong", remedy=remedy)] if remedy else []
    report = HealthReport(box=box, source=source, made_at="2026-01-02T03:04:05.678Z", findings=findings)
    new = folder / "new"
    new.write_text(report.model_dump_json())
    new.rename(folder / f"{source}.json")
    return report


def test_a_report_is_read_when_it_is_there_and_when_it_changes(tmp_path: Path) -> None:
    reader = HealthReader(tmp_path, BOX)
    assert reader.changed() == []
    first = write(tmp_path)
    assert reader.changed() == [first]
    assert reader.changed() == []
    second, third = write(tmp_path, remedy="Do it."), write(tmp_path, "commissioning")
    assert reader.changed() == [third, second]


@pytest.mark.parametrize("text", ["", "{", '{"version": 2}', "[]", "x" * 100_000])
def test_what_is_no_report_is_told_once_and_left_out(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "doctor.json").write_text(text)
    reader = HealthReader(tmp_path, BOX)
    assert reader.changed() == reader.changed() == []
    assert caplog.text.count("is not sent") == 1


def test_another_boxs_report_or_a_link_is_not_sent(tmp_path: Path) -> None:
    write(tmp_path, box="box-fedcba9876543210")
    assert HealthReader(tmp_path, BOX).changed() == []
    (tmp_path / "doctor.json").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere)
    (tmp_path / "doctor.json").symlink_to(elsewhere / "doctor.json")
    assert HealthReader(tmp_path, BOX).changed() == []


def test_it_is_published_retained_once_and_again_for_a_new_broker(tmp_path: Path) -> None:
    policy = PublicationPolicy(BOX, software="plainsight 0", report_s=30.0, counting_s=1.0)
    report = write(tmp_path, remedy="Do it.")
    (one,) = policy.update_health([report])
    assert (one.topic, one.retain) == (f"plainsight/{BOX}/state/health/doctor", True)
    assert HealthReport.model_validate_json(one.payload()) == report
    assert policy.update_health([report]) == []

    again = policy.all_retained(SilentStatus(box=BOX, last_monotonic_ns=None), 0)
    assert one in again
