"""/control.json: counts for whoever shows the token, nobody else, and no way for a name to be among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test.utils import override_settings
from django.utils import timezone

from appliance.contract.times import wall
from archive.configuration.web import Control, Metrics
from archive.control import deeds
from archive.control.summary import MOST_BYTES, PATH, Part, Summary
from archive.core.health import _probes
from archive.core.jobs import Worker
from archive.custody.models import Entry
from archive.doctor import control
from archive.doctor.certificates import CertificateLook
from archive.rooms.models import Room
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import make_meeting, make_person, make_student
from tests.archive.ui.states import hear
from tests.support.archives import Archive

TOKEN = "c" * 64
MEMBERS = {
    "version": "const 1",
    "at": "moment",
    "software": r"^plainsight [0-9A-Za-z.+~() -]{1,60}$",
    "failing[]": "database keys listener store worker",
    "certificates[].whose": "authority boxes broker listener pages",
    "certificates[].ends_at": "moment",
    "certificates[].verdict": "ok warning wrong",
    "rooms.ready": "0 to 1000000",
    "rooms.not_ready": "0 to 1000000",
    "rooms.silent": "0 to 1000000",
    "packages.damaged": "0 to 1000000",
    "packages.overdue": "0 to 1000000",
    "packages.oldest_check_s": "0 to 10000000000",
    "worker_s": "0 to 10000000000",
    "backup_s": "0 to 10000000000",
    "free_bytes": f"0 to {2**63 - 1}",
}
"""All that an archive can tell, and what each can be. Whoever adds a line lets an archive tell more: decide it."""


@pytest.fixture
def shown(archive: Archive, tmp_path: Path) -> Iterator[Any]:
    """A client of an archive that gives its counts."""
    file = tmp_path / "control.token"
    file.write_text(TOKEN + "\n")
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"control": Control(token_file=file)})):
        yield archive.client()


def ask(client: Any, token: str = TOKEN) -> Any:
    return client.get(PATH, headers={"Authorization": f"Bearer {token}"})


def leaves(schema: dict[str, Any], definitions: dict[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    """Each member that holds a value, and what the value can be."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    assert len(kinds) == 1, name
    (kind,) = kinds
    if kind.get("type") == "object":
        assert kind["additionalProperties"] is False
        for member, inner in kind["properties"].items():
            yield from leaves(inner, definitions, f"{name}.{member}".lstrip("."))
    elif kind.get("type") == "array":
        assert kind["maxItems"] <= 5
        yield from leaves(kind["items"], definitions, f"{name}[]")
    elif "const" in kind:
        yield name, f"const {kind['const']}"
    elif "enum" in kind:
        yield name, " ".join(sorted(kind["enum"]))
    elif kind["type"] == "integer":
        yield name, f"{kind['minimum']} to {kind['maximum']}"
    else:
        yield name, "moment" if kind["pattern"].startswith("^[0-9]{4}-") else kind["pattern"]


def test_what_an_archive_can_tell_is_this_list_and_no_member_can_hold_a_name() -> None:
    schema = Summary.model_json_schema()
    assert dict(leaves(schema, schema.get("$defs", {}))) == MEMBERS


def test_nobody_is_answered_unless_the_district_made_a_token(archive: Archive, client: Any) -> None:
    answer = ask(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown-address")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_who_does_not_show_the_token_gets_nothing_and_nothing_is_entered(shown: Any, headers: dict[str, str]) -> None:
    answer = shown.get(PATH, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "no-token"
    assert deeds.last_given() is None


def test_neither_a_session_nor_the_monitor_s_token_is_the_operator_s(shown: Any, tmp_path: Path) -> None:
    shown.force_login(make_user("it.support", role="custodian"))
    monitor = tmp_path / "metrics.token"
    monitor.write_text("m" * 64)
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"metrics": Metrics(token_file=monitor)})):
        assert ask(shown, "m" * 64).status_code == 401
        assert shown.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


def test_a_district_takes_its_token_back_by_writing_another_or_none(shown: Any, tmp_path: Path) -> None:
    assert ask(shown).status_code == 200
    for content in ("d" * 64, "short", ""):
        (tmp_path / "control.token").write_text(content)
        assert ask(shown).status_code == 401
    (tmp_path / "control.token").unlink()
    assert ask(shown).status_code == 401


def test_the_counts_are_those_of_the_rows(shown: Any, archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    archive.run("backup", "--to", str(archive.home.parent / "copies"))
    hear(archive.keys.box)
    # the last thing before it is asked for: a sign of life is late after 15 s
    Worker([]).once()
    told = Summary.model_validate_json(ask(shown).content)
    assert (told.rooms.ready, told.rooms.not_ready, told.rooms.silent) == (1, 0, 0)
    assert told.failing == ()
    assert (told.packages.damaged, told.packages.overdue) == (0, 0)
    for age in (told.packages.oldest_check_s, told.worker_s, told.backup_s):
        assert age is not None
        assert 0 <= age < 600
    assert told.free_bytes
    hear(archive.keys.box, ready=False, faults=["microphone-missing"])
    told = Summary.model_validate_json(ask(shown).content)
    assert (told.rooms.ready, told.rooms.not_ready, told.rooms.silent) == (0, 1, 0)


def test_a_new_archive_says_what_it_never_did(shown: Any) -> None:
    told = Summary.model_validate_json(ask(shown).content)
    assert (told.worker_s, told.backup_s, told.packages.oldest_check_s) == (None, None, None)
    assert {"listener", "worker"} <= set(told.failing)
    assert told.rooms.silent == 1


def test_every_part_that_health_knows_can_be_told(archive: Archive) -> None:
    assert {*_probes, "database"} == set(get_args(Part))


def test_no_name_and_no_identifier_is_among_the_counts(shown: Any, archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    make_meeting(make_student("Zyxa", "Qwvutsson"))
    make_person("Plokij")
    Room.objects.update(name="Mnbvcx Hall")
    said = ask(shown).content.decode()
    for word in ("zyxa", "qwvutsson", "plokij", "mnbvcx", made.id, archive.keys.box, archive.home.name):
        assert word not in said.lower()
    assert len(said) < MOST_BYTES / 4


def test_a_day_s_first_answer_is_an_entry_before_it_is_an_answer(
    shown: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "archive.control")
    for _ in range(3):
        assert ask(shown).status_code == 200
    assert Entry.objects.filter(code="control-counts").count() == 1
    assert len(caplog.records) == 3, "each is a line of the log"
    later = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(deeds, "now", lambda: later.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    assert ask(shown).status_code == 200
    assert Entry.objects.filter(code="control-counts").count() == 2

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise DatabaseError("no row")

    monkeypatch.setattr(deeds, "record", fail)
    monkeypatch.setattr(deeds, "now", lambda: "2199-01-01T00:00:00.000Z")
    answer = ask(shown)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage")


def test_the_doctor_says_who_gets_counts(archive: Archive, tmp_path: Path) -> None:
    (off,) = control.check(Control(), "")
    assert (off.verdict, "no operator" in off.found) == ("ok", True)
    (on,) = control.check(Control(token_file=tmp_path / "t"), "2026-11-26")
    assert "last on 2026-11-26" in on.found
    found = json.loads(archive.run("doctor", "--quick", "--json", status=1).stdout)["checks"]
    assert "control page" in {one["check"] for one in found}


def test_the_brokers_of_groups_are_told_as_one_and_never_by_name() -> None:
    now = timezone.now()

    def seen(name: str, days: int | None) -> CertificateLook:
        ends_at = None if days is None else now + timedelta(days=days)
        return CertificateLook(name, Path("/c.pem"), True, "" if days else "junk", ends_at=ends_at)

    groups = [seen(f"broker school-{number}", 300 + number) for number in range(8)]
    told = control._ends([seen("pages", 300), seen("broker", 300), *groups, seen("broker late", 10)], now)
    assert [(one.whose, one.ends_at, one.verdict) for one in told] == [
        ("pages", wall(now + timedelta(days=300)), "ok"),
        ("broker", wall(now + timedelta(days=10)), "warning"),
    ]
    (told_one,) = control._ends([*groups, seen("broker", None)], now)
    assert (told_one.whose, told_one.ends_at, told_one.verdict) == ("broker", None, "wrong")
