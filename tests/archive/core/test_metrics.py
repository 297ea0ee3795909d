"""/metrics: figures of rows for whoever shows the token, nobody else, and no name among them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test.utils import override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from archive.configuration.web import Metrics
from archive.core import metrics
from archive.core.jobs import Worker
from archive.recordings.models import Recording
from archive.rooms.models import Room
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import make_meeting, make_person, make_student
from tests.support.archives import ROOT, Archive

TOKEN = "f" * 64


@pytest.fixture
def shown(archive: Archive, tmp_path: Path) -> Any:
    """A client of an archive that shows its figures."""
    file = tmp_path / "metrics.token"
    file.write_text(TOKEN + "\n")
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"metrics": Metrics(token_file=file)})):
        yield archive.client()


def text(client: Any, token: str = TOKEN) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return str(answer.content.decode())


def figures(client: Any) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text(client))
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_nobody_is_answered_unless_the_setting_says_who(archive: Archive, client: Any) -> None:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown-address"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN},
                                     {"Authorization": "Bearer ü"}, {"Authorization": "Basic " + TOKEN}])  # fmt: skip
def test_who_does_not_show_the_token_gets_no_figure(shown: Any, headers: dict[str, str]) -> None:
    answer = shown.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "plainsight_" not in answer.content.decode()


def test_a_session_shows_nothing(shown: Any) -> None:
    shown.force_login(make_user("it.support", role="custodian"))
    assert shown.get("/metrics").status_code == 401


@pytest.mark.parametrize("content", ["", "short", None])
def test_a_token_that_is_no_secret_lets_nobody_in(
    shown: Any, tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "metrics.token"
    file.unlink() if content is None else file.write_text(content)
    answer = shown.get("/metrics", headers={"Authorization": f"Bearer {content or ''}"})
    assert answer.status_code == 401
    assert "shown to nobody" in caplog.text
    assert str(tmp_path) not in answer.content.decode()


def test_the_figures_are_those_of_the_rows(shown: Any, archive: Archive, arrive: Arrive, sealed: Arrive) -> None:
    sealed(seconds=2)
    arrive(seconds=1)
    Worker([]).once()
    archive.run("backup", "--to", str(archive.home.parent / "copies"))
    found = figures(shown)
    assert found["plainsight_recordings", "sealed"] == 1
    assert found["plainsight_packages_bytes",] == Recording.objects.get(state="sealed").package_size
    assert found["plainsight_part_works", "database"] == 1
    assert found["plainsight_part_works", "listener"] == 0
    assert found["plainsight_boxes", "silent"] == 1
    assert found["plainsight_custody_entries",] > 3
    assert found["plainsight_store_free_bytes",] > 0
    assert found["plainsight_metrics_failed",] == 0
    now = timezone.now().timestamp()
    for name in (("process_seen_timestamp_seconds", "worker"), ("last_backup_timestamp_seconds",)):
        assert now - 600 < found[f"plainsight_{name[0]}", *name[1:]] <= now


def test_what_cannot_be_read_is_counted_and_hides_nothing_else(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[metrics.Gauge]:
        raise OperationalError("locked")

    monkeypatch.setattr(metrics, "_providers", [fail, *metrics._providers])
    found = figures(shown)
    assert found["plainsight_metrics_failed",] == 1
    assert ("plainsight_custody_entries",) in found


def test_no_name_and_no_identifier_is_among_the_figures(shown: Any, archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    make_meeting(make_student("Zyxa", "Qwvutsson"))
    make_person("Plokij")
    Room.objects.update(name="Mnbvcx Hall")
    said = text(shown)
    for word in ("zyxa", "qwvutsson", "plokij", "mnbvcx", made.id, archive.keys.box):
        assert word not in said.lower()
    assert not re.search(r"[0-9a-f]{16}", said)


def test_each_figure_tells_its_unit_and_help(shown: Any) -> None:
    for family in text_string_to_metric_families(text(shown)):
        assert family.documentation
        assert not family.documentation.endswith(".")
        if "timestamp" in family.name:
            assert family.name.endswith("_timestamp_seconds")


def test_every_rule_for_an_alert_compares_figures_that_have_the_same_labels() -> None:
    """A bare `sum(...)` has no labels, so nothing that has the monitor's own ever matches it."""
    page = (ROOT / "docs" / "running.md").read_text()
    rules = re.findall(r"(?m)^\| [^|]+ \| `([^`]*plainsight_[^`]*)`", page)
    assert len(rules) > 5
    assert [one for one in rules if re.search(r"\b(sum|min|max|avg|count)\b(?! without)", one)] == []
