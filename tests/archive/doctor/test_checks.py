"""Each check of the archive's doctor: what is good is called so, and one thing broken is told by one check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.check_result import CheckResult
from archive.configuration.file import Configuration
from archive.configuration.web import Boxes, Site, Web
from archive.core.triggers import names as trigger_names
from archive.custody.triggers import REFUSALS
from archive.doctor import broker, bucket, certificates, database, folders, keys, processes, site, storage
from archive.doctor.folders import FileLook
from archive.recordings.bucket_locks import OutOfLine
from archive.store.base import HOUR

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FILES = (
    FileLook(".", 990, 0o700),
    FileLook("archive.sqlite3", 990, 0o644),
    FileLook("keys", 990, 0o700),
    FileLook("keys/signing.pem", 990, 0o600),
    FileLook("keys/web.pem", 990, 0o644),
    FileLook("keys/escrow.txt", 990, 0o644),
    FileLook("keys/web.key", 990, 0o600),
)
FOLDERS = folders.FoldersLook(Path("/srv/archive"), 990, FILES)
DATABASE = database.DatabaseLook("sqlite", checked=True, triggers=frozenset(trigger_names("sqlite", REFUSALS)))
KEYS = keys.KeysLook("", "ed25519:a", "ed25519:a", "age1a", "age1b", 0, 3)
STORE = storage.StoreLook("", 10**12)
LOCKS = OutOfLine()
BROKER = broker.BrokerLook("localhost", 8883, tls=True, refusal="", is_ours=True, access="")
PAGES = certificates.CertificateLook(
    "pages",
    Path("/srv/archive/keys/web.pem"),
    is_ours=True,
    needs="archive.example",
    names=frozenset({"archive.example"}),
    ends_at=NOW + timedelta(days=300),
)
UNIT = processes.UnitLook("plainsight-archive-web.service", loaded=True, active="active", enabled="enabled", restarts=0)
PROCESSES = processes.ProcessesLook((UNIT,), NOW, NOW, connected=True, synchronized=True)
SETTINGS = Configuration(
    site=Site(url="https://archive.example:8443", hosts=["archive.example"], contact="Pat Doe, 555-0100"),
    web=Web(certificate=Path("/a.pem"), key=Path("/a.key")),
)
SITE = site.SiteLook(Path("/srv/archive/archive.toml"), exists=True, settings=SETTINGS, software="1.0")


CHECKS: dict[type, Callable[[Any], Iterable[CheckResult]]] = {
    folders.FoldersLook: folders.check,
    database.DatabaseLook: database.check,
    keys.KeysLook: keys.check,
    storage.StoreLook: storage.check,
    OutOfLine: bucket.check,
    broker.BrokerLook: broker.check,
    certificates.CertificateLook: lambda seen: [certificates.check(seen, NOW)],
    processes.ProcessesLook: lambda seen: processes.check(seen, NOW),
    site.SiteLook: site.check,
}


def told(seen: Any) -> list[CheckResult]:
    """What the check of its kind says."""
    return list(CHECKS[type(seen)](seen))


@pytest.mark.parametrize("seen", [FOLDERS, DATABASE, KEYS, STORE, LOCKS, BROKER, PAGES, PROCESSES, SITE])
def test_what_is_good_is_called_good(seen: Any) -> None:
    found = told(seen)
    assert found
    assert {one.verdict for one in found} == {"ok"}
    assert not any(one.remedy for one in found)


def with_settings(**changed: Any) -> site.SiteLook:
    return replace(SITE, settings=SETTINGS.model_copy(update=changed))


def with_site(**changed: Any) -> site.SiteLook:
    return with_settings(site=SETTINGS.site.model_copy(update=changed))


@pytest.mark.parametrize(
    ("broken", "check", "verdict", "words"),
    [
        (replace(FOLDERS, uid=None), "owners", "wrong", "no user"),
        (replace(FOLDERS, files=()), "owners", "wrong", "there is no /srv/archive"),
        (replace(FOLDERS, hidden=True), "owners", "wrong", "may not look"),
        (replace(FOLDERS, files=(*FILES, FileLook("store", 0, 0o755))), "owners", "wrong", "store"),
        (replace(FOLDERS, files=(*FILES[:3], FileLook("keys/signing.pem", 990, 0o640))), "secrets", "wrong", "signing"),
        (replace(FOLDERS, files=(*FILES, FileLook("keys/django.secret", 990, 0o644))), "secrets", "wrong", "django"),
        (replace(FOLDERS, files=(FileLook(".", 990, 0o755),)), "secrets", "wrong", "."),
        (replace(DATABASE, error="unable to open database file"), "database", "wrong", "unable to open"),
        (replace(DATABASE, pending=("rooms.0002",)), "database", "wrong", "rooms.0002"),
        (replace(DATABASE, damage=("row 7 missing from index",)), "database", "wrong", "row 7"),
        (
            replace(DATABASE, unsafe=("fsync", "synchronous_commit")),
            "database server",
            "wrong",
            "fsync, synchronous_com",
        ),
        (
            replace(DATABASE, error="no route to host", place="plainsight at db"),
            "database",
            "wrong",
            "plainsight at db",
        ),
        (replace(DATABASE, alone=True), "database standby", "warning", "no commit waits"),
        (replace(DATABASE, triggers=frozenset()), "custody log", "wrong", "custody_entry_no_delete"),
        (replace(KEYS, error="there is no signing.pem"), "keys", "wrong", "signing.pem"),
        (replace(KEYS, signed_by="ed25519:b"), "keys", "wrong", "another key"),
        (replace(KEYS, closed=1), "keys", "wrong", "does not open"),
        (replace(KEYS, escrow=""), "escrow", "wrong", "there is none"),
        (replace(KEYS, escrow="age1a"), "escrow", "wrong", "own key"),
        (replace(STORE, error="the store failed at health: No space left"), "store", "wrong", "No space left"),
        (replace(STORE, free=None), "free space", "wrong", "not known"),
        (replace(STORE, trust="nobody proved it"), "whose store it is", "wrong", "nobody proved it"),
        (replace(LOCKS, not_held=frozenset("ab")), "legal holds", "warning", "2 on hold without a legal hold"),
        (replace(LOCKS, still_held=frozenset("a")), "legal holds", "warning", "1 with one although"),
        (replace(LOCKS, unknown_hold=frozenset("a")), "legal holds", "wrong", "never knew of"),
        (replace(LOCKS, problems={"a": "it is away"}), "bucket's locks", "wrong", "first a: it is away"),
        (replace(LOCKS, ended=frozenset("ab")), "bucket's locks", "wrong", "of 2 packages has ended"),
        (replace(LOCKS, unseen=3), "bucket's locks", "warning", "3 packages"),
        (replace(STORE, free=50 * HOUR), "free space", "warning", "50 hours"),
        (replace(STORE, free=2 * HOUR), "free space", "wrong", "2 hours"),
        (replace(BROKER, refusal="Connection refused"), "broker", "wrong", "Connection refused"),
        (replace(BROKER, host="broker.example", tls=False), "broker", "wrong", "without TLS"),
        (replace(BROKER, access="it is old"), "broker's access list", "wrong", "it is old"),
        (replace(BROKER, name="north", refusal="it is away"), "broker north", "wrong", "it is away"),
        (replace(BROKER, elsewhere="/srv/north"), "broker's access list", "warning", "not on this host"),
        (replace(PAGES, error="no such file"), "certificate of the pages", "wrong", "no such file"),
        (replace(PAGES, ends_at=NOW), "certificate of the pages", "wrong", "it ended"),
        (replace(PAGES, ends_at=NOW + timedelta(days=50)), "certificate of the pages", "warning", "2027-01-14"),
        (
            replace(PAGES, begins_at=NOW + timedelta(days=2)),
            "certificate of the pages",
            "wrong",
            "begins on 2026-11-27",
        ),
        (replace(PAGES, needs="other.example"), "certificate of the pages", "wrong", "not for other.example"),
        (replace(PAGES, presented="another one"), "certificate of the pages", "wrong", "another one"),
        (
            replace(PAGES, is_ours=False, ends_at=NOW + timedelta(days=10)),
            *("certificate of the pages", "warning", "2026-12-05"),
        ),
        (replace(PROCESSES, units=(replace(UNIT, loaded=False),)), UNIT.name, "wrong", "does not know"),
        (replace(PROCESSES, units=(replace(UNIT, active="failed"),)), UNIT.name, "wrong", "failed"),
        (replace(PROCESSES, units=(replace(UNIT, enabled="disabled"),)), UNIT.name, "warning", "boot"),
        (replace(PROCESSES, units=(replace(UNIT, restarts=4),)), UNIT.name, "warning", "4 times"),
        (replace(PROCESSES, worker_at=None), "worker", "wrong", "never ran"),
        (replace(PROCESSES, worker_at=NOW - timedelta(minutes=5)), "worker", "wrong", "300 s"),
        (replace(PROCESSES, worker_at=NOW + timedelta(hours=1)), "worker", "wrong", "put back"),
        (replace(PROCESSES, listener_at=NOW + timedelta(hours=1)), "listener", "wrong", "put back"),
        (replace(PROCESSES, listener_at=NOW - timedelta(minutes=5)), "listener", "wrong", "300 s"),
        (replace(PROCESSES, connected=False), "listener's connection", "wrong", "not connected"),
        (replace(PROCESSES, synchronized=False), "clock", "warning", "nothing keeps it right"),
        (replace(SITE, exists=False), "settings", "wrong", "there is no"),
        (with_site(contact=""), "contact", "warning", "your administrator"),
        (with_site(hosts=["other.example"]), "site.url", "wrong", "archive.example is not in site.hosts"),
        (with_settings(boxes=Boxes(url="https://boxes.example:8443")), "boxes.url", "wrong", "boxes.example"),
        (with_settings(web=Web()), "pages", "warning", "no certificate"),
    ],
)
def test_one_thing_broken_is_told_by_one_check_with_a_remedy(broken: Any, check: str, verdict: str, words: str) -> None:
    not_good = [one for one in told(broken) if one.verdict != "ok"]
    assert [(one.check, one.verdict) for one in not_good] == [(check, verdict)]
    assert words in not_good[0].found
    assert not_good[0].remedy


def test_an_address_of_this_machine_alone_is_told(tmp_path: Path) -> None:
    seen = site.SiteLook(tmp_path, exists=True, settings=Configuration(site=Site(url="http://localhost")), software="")
    assert "for this machine alone" in {one.check: one for one in site.check(seen)}["site.url"].found


def test_without_systemd_nothing_is_said_against_units() -> None:
    assert {one.verdict for one in told(replace(PROCESSES, units=None))} == {"ok"}


def test_what_systemctl_shows_of_a_unit_is_read() -> None:
    block = "Id=a.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=enabled\nNRestarts=3"
    assert processes.read_unit(block) == processes.UnitLook("a.service", True, "failed", "enabled", 3)
    path = "Id=a.path\nLoadState=not-found\nActiveState=inactive\nUnitFileState="
    assert processes.read_unit(path) == processes.UnitLook("a.path", False, "inactive", "", 0)
