"""No name reaches a log: each line that the archive writes is walked here; what is not on the list is withheld."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test.utils import override_settings
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import StorageError
from archive.core.logs import KEYS, WITHHELD, JsonFormatter, TextFormatter, told
from archive.records.people.models import Student
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.records.factories import make_student
from tests.support.archives import Archive

ROOT = Path(__file__).resolve().parents[3] / "archive"
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
NAME = "Zyxanthe Qwvutsson"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a logger in the archive, and where it stands."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in {"_log", "log", "logger", "_logger", "logging"}:
                    yield f"{path.relative_to(ROOT.parent)}:{node.lineno}", node


def problem_of(call: ast.Call, names: dict[str, ast.Dict]) -> str:
    """Return what is wrong with a call of a logger, or nothing."""
    if not isinstance(call.args[0], ast.Constant):
        return "its text is not constant"
    text, values = str(call.args[0].value), call.args[1:]
    wanted = set(re.findall(r"%\((\w+)\)", text))
    if re.search(r"%[^(]", text):
        return "it has a placeholder without a name"
    if {keyword.arg for keyword in call.keywords} - {"exc_info"}:
        return "it has another argument than exc_info"
    return problem_of_values(values, wanted, names) if values or wanted else ""


def problem_of_values(values: list[ast.expr], wanted: set[str], names: dict[str, ast.Dict]) -> str:
    given_values: ast.expr | None = values[0] if values else None
    if isinstance(given_values, ast.Name):
        given_values = names.get(given_values.id)
    if len(values) != 1 or not isinstance(given_values, ast.Dict):
        return "its values are not one dict that stands beside it"
    keys = {key.value for key in given_values.keys if isinstance(key, ast.Constant)}
    if len(keys) != len(given_values.keys) or keys != wanted:
        return f"it gives {keys} and names {wanted}"
    return f"{keys - KEYS.keys()} are not on the list (archive/core/logs.py)" if keys - KEYS.keys() else ""


def dicts(path: Path) -> dict[str, ast.Dict]:
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Dict):
            found[node.targets[0].id] = node.value
    return found


def test_every_line_that_the_archive_logs_names_only_what_is_on_the_list() -> None:
    found = list(calls())
    assert len(found) > 30
    wrong = {
        where: problem
        for where, call in found
        if (problem := problem_of(call, dicts(ROOT.parent / where.rpartition(":")[0])))
    }
    assert wrong == {}


def test_nothing_else_in_the_archive_makes_a_logger_or_prints() -> None:
    """So the walk above sees all of it."""
    makers = [
        f"{path}: {line}"
        for path in ROOT.rglob("*.py")
        for line in path.read_text().splitlines()
        if "getLogger" in line and line != "_log = logging.getLogger(__name__)"
    ]
    assert makers == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('_log.error(f"{name}")', "not constant"),
        ('_log.error("%s", name)', "without a name"),
        ('_log.error("%(student)s", {"student": name})', "not on the list"),
        ('_log.error("%(recording)s", {"recording": a, "name": b})', "it gives"),
        ('_log.error("x", extra={"student": name})', "another argument"),
        ('_log.error("%(recording)s", values)', "not one dict"),
    ],
)
def test_the_walk_finds_what_it_is_for(line: str, problem: str) -> None:
    [call] = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    assert problem in problem_of(call, {})


def record(name: str, text: str, *values: Any, raised: Any = None) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "/usr/lib/somewhere/code.py", 7, text, values, raised)


def lines(made: logging.LogRecord) -> str:
    return TextFormatter("%(levelname)s %(name)s: %(message)s").format(made) + "\n" + JsonFormatter().format(made)


@pytest.mark.parametrize(
    "made",
    [
        record("archive.x", "%s is away", NAME),
        record("archive.x", "%(student)s is away", {"student": NAME}),
        record("archive.x", "%(recording)s is away", {"recording": NAME}),
        record("django.request", "Not Found: %s", f"/students/{NAME}"),
        record("django.security.DisallowedHost", f"Invalid HTTP_HOST header: {NAME}"),
        record("allauth", f"failed for {NAME}"),
    ],
)
def test_what_is_not_listed_is_withheld(made: logging.LogRecord) -> None:
    assert "Zyxanthe" not in lines(made)
    assert WITHHELD in lines(made)


def test_where_a_text_is_withheld_its_place_is_told() -> None:
    assert "code.py:7" in lines(record("asyncio", f"told of {NAME}"))


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(f"Key (family_name)=({NAME}) already exists"),
        ValueError(NAME),
        SMTPRecipientsRefused({f"{NAME}@example.org": (550, b"no")}),
        OperationalError(f"database is locked\nDETAIL: {NAME}"),
    ],
)
def test_an_exception_that_is_not_ours_tells_its_kind_and_place_alone(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fail()
    said = lines(record("archive.x", "it failed", raised=(raised.type, raised.value, raised.tb)))
    assert "Zyxanthe" not in said
    assert type(error).__name__ in said
    assert "test_logs.py" in said


def test_our_own_words_and_the_systems_are_told() -> None:
    assert told(StorageError("the store failed")) == "the store failed"
    assert told(OperationalError("database is locked")) == "OperationalError: database is locked"
    assert "No space left" in told(OSError(28, "No space left on device"))
    said = record("archive.x", "cannot seal %(recording)s (%(count)d): %(problem)s",
                  {"recording": "a" * 32, "count": 3, "problem": StorageError("full")})  # fmt: skip
    shown = json.loads(JsonFormatter().format(said))
    assert shown["message"] == f"cannot seal {'a' * 32} (3): full"
    assert (shown["recording"], shown["count"], shown["problem"]) == ("a" * 32, 3, "full")
    assert (shown["level"], shown["logger"]) == ("error", "archive.x")


@given(st.text(), st.dictionaries(st.text(max_size=8), st.text() | st.integers() | st.none()), st.booleans())
def test_any_line_is_one_object_and_one_line(text: str, values: dict[str, Any], ours: bool) -> None:
    made = record("archive.x" if ours else "other", text, values)
    shown = JsonFormatter().format(made)
    assert json.loads(shown)["message"].isprintable()
    assert "\n" not in shown
    assert set(json.loads(shown)) <= {"at", "level", "logger", "message"} | KEYS.keys()
    assert "\n" not in TextFormatter("%(message)s").format(made)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What a process would write, of everything that logs."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    handlers[0].setFormatter(TextFormatter("%(levelname)s %(name)s: %(message)s"))
    handlers[1].setFormatter(JsonFormatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    for one in handlers:
        root.addHandler(one)
    yield stream
    root.setLevel(level)
    for one in handlers:
        root.removeHandler(one)


def test_a_defect_in_a_page_about_a_student_tells_no_name(
    archive: Archive, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, sealed: Arrive
) -> None:
    student = make_student(*NAME.split())
    client = signed_in(archive, "p.smith", role="custodian")
    client.raise_request_exception = False

    def fail(one: Student) -> str:
        raise ValueError(f"cannot show {one.given_name} {one.family_name}")

    monkeypatch.setattr(Student, "__str__", fail)
    with override_settings(DEBUG=False):
        assert client.get(f"/students/{student.pk}/").status_code == 500
        client.get(f"/students/{NAME}/")
        client.get(f"/?q={NAME}", headers={"Host": "zyxanthe.example.org"})
    said = logged.getvalue()
    assert "ValueError" in said, "the defect is told"
    assert "zyxanthe" not in said.lower()
    assert "qwvutsson" not in said.lower()


def test_the_settings_choose_the_form(archive: Archive) -> None:
    path = archive.home / "archive.toml"
    path.write_text(path.read_text() + '[logs]\nformat = "json"\n')
    (archive.home / "store" / "packages").mkdir(parents=True)
    (archive.home / "store" / "packages" / "misplaced.txt").write_text("x")
    worker = [sys.executable, "-m", "archive.command", "worker", "--once"]
    done = subprocess.run(worker, env=archive.environment(), capture_output=True, text=True, timeout=300, check=False)
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"at", "level", "logger", "message"} <= one.keys() for one in said)
    assert time.strptime(said[0]["at"][:19], "%Y-%m-%dT%H:%M:%S")
    assert "packages/misplaced.txt" in {one.get("subject") for one in said}
